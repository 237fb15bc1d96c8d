// SPDX-License-Identifier: BSL-1.0

// The context workloads in Go: `peer_go WORKLOAD N [done]` prints `workload<TAB>n<TAB>ns_per_op<TAB>bytes_per_item`.
//
// Nobody waits on the contexts that are derived and canceled, in Go or in ours: their Done channels are never made,
// which is Go's cheaper case. With `done` each is asked for its channel once, as whoever selects on it does. Only the
// rows on lateness wait on Done, with a goroutine a wait, as a Go program does.
package main

import (
	"context"
	"fmt"
	"math/rand"
	"os"
	"runtime"
	"sort"
	"strconv"
	"sync"
	"time"
)

type key int

var (
	valueSink any
	asksDone  bool
	doneSink  <-chan struct{}
)

const churnOps = 2_000_000

func report(workload string, n int, ns float64, bytes string) {
	fmt.Printf("%s\t%d\t%.2f\t%s\n", workload, n, ns, bytes)
}

func perOp(took time.Duration, ops int) float64 { return float64(took.Nanoseconds()) / float64(ops) }

func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func touch(ctx context.Context) {
	if asksDone {
		doneSink = ctx.Done()
	}
}

func deriveAndRelease(parent context.Context, n int) {
	for i := 0; i < n; i++ {
		ctx, cancel := context.WithCancel(parent)
		touch(ctx)
		cancel()
	}
}

func derive(name string, n int) {
	parent, cancel := context.WithCancel(context.Background())
	defer cancel()
	start := time.Now()
	deriveAndRelease(parent, n)
	report(name, n, perOp(time.Since(start), n), "-")
}

func deriveShared(name string, n int) {
	parent, cancel := context.WithCancel(context.Background())
	defer cancel()
	var both sync.WaitGroup
	both.Add(2)
	start := time.Now()
	for i := 0; i < 2; i++ {
		go func() {
			defer both.Done()
			deriveAndRelease(parent, n/2)
		}()
	}
	both.Wait()
	report(name, n, perOp(time.Since(start), n), "-")
}

func poll(name string, n int) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	start := time.Now()
	for i := 0; i < n; i++ {
		if ctx.Err() != nil {
			panic("canceled by nobody")
		}
	}
	report(name, n, perOp(time.Since(start), n), "-")
}

func value(name string, n int) {
	ctx := context.WithValue(context.Background(), key(0), 42)
	for i := 1; i < 10; i++ {
		ctx = context.WithValue(ctx, key(i), i)
	}
	start := time.Now()
	for i := 0; i < n; i++ {
		valueSink = ctx.Value(key(0))
	}
	report(name, n, perOp(time.Since(start), n), "-")
}

type owned struct {
	ctx    context.Context
	cancel context.CancelFunc
}

func fanout(name string, n int, scramble bool) {
	before := heap()
	parent, cancel := context.WithCancel(context.Background())
	children := make([]owned, n)
	for i := range children {
		children[i].ctx, children[i].cancel = context.WithCancel(parent)
		touch(children[i].ctx)
	}
	if scramble {
		random := rand.New(rand.NewSource(42))
		for i := 0; i < 2*n; i++ {
			child := &children[random.Intn(n)]
			child.cancel()
			child.ctx, child.cancel = context.WithCancel(parent)
			touch(child.ctx)
		}
	}
	bytes := strconv.FormatUint((heap()-before)/uint64(n), 10)
	start := time.Now()
	cancel()
	took := time.Since(start)
	for _, child := range children {
		if child.ctx.Err() == nil {
			panic("a child is not done")
		}
	}
	report(name, n, perOp(took, n), bytes)
}

func deep(name string, n int) {
	before := heap()
	root, cancel := context.WithCancel(context.Background())
	leaf := root
	cancels := make([]context.CancelFunc, n)
	for i := range cancels {
		leaf, cancels[i] = context.WithCancel(leaf)
		touch(leaf)
	}
	bytes := strconv.FormatUint((heap()-before)/uint64(n), 10)
	start := time.Now()
	cancel()
	took := time.Since(start)
	if leaf.Err() == nil {
		panic("the leaf is not done")
	}
	runtime.KeepAlive(cancels)
	report(name, n, perOp(took, n), bytes)
}

func churn(name string, n int, random bool) {
	live := make([]context.CancelFunc, n)
	for i := range live {
		_, live[i] = context.WithTimeout(context.Background(), time.Hour)
	}
	order := make([]int32, churnOps)
	source := rand.New(rand.NewSource(42))
	for i := range order {
		if random {
			order[i] = int32(source.Intn(n))
		} else {
			order[i] = int32(i % n)
		}
	}
	start := time.Now()
	for _, i := range order {
		live[i]()
		_, live[i] = context.WithTimeout(context.Background(), time.Hour)
	}
	took := time.Since(start)
	for _, cancel := range live {
		cancel()
	}
	report(name, n, perOp(took, churnOps), "-")
}

// All n deadlines fire; the lateness is taken at 10,000 of them, spread evenly. Waiting on a million with a goroutine each
// would measure the goroutines.
func lateness(name string, n int) {
	step := (n + 9_999) / 10_000
	late := make([]time.Duration, (n+step-1)/step)
	cancels := make([]context.CancelFunc, n)
	var sampled sync.WaitGroup
	sampled.Add(len(late))
	base := time.Now().Add(500*time.Millisecond + time.Duration(n)*2*time.Microsecond)
	for _, i := range rand.New(rand.NewSource(42)).Perm(n) {
		at := base.Add(time.Duration(i) * time.Second / time.Duration(n))
		var ctx context.Context
		ctx, cancels[i] = context.WithDeadline(context.Background(), at)
		if i%step != 0 {
			continue
		}
		slot := &late[i/step]
		go func() {
			defer sampled.Done()
			<-ctx.Done()
			*slot = time.Since(at)
		}()
	}
	if time.Now().After(base) {
		panic("arming took longer than the lead")
	}
	sampled.Wait()
	for _, cancel := range cancels {
		cancel()
	}
	sort.Slice(late, func(a, b int) bool { return late[a] < late[b] })
	report(name, n, float64(late[len(late)*99/100]), "-")
}

// N goroutines wait for a context, which is canceled; each tells that it has ended.
func endWorkers(n int) (time.Duration, uint64) {
	ctx, cancel := context.WithCancel(context.Background())
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var ready, ended sync.WaitGroup
	ready.Add(n)
	ended.Add(n)
	for i := 0; i < n; i++ {
		go func() {
			ready.Done()
			<-ctx.Done()
			ended.Done()
		}()
	}
	ready.Wait()
	time.Sleep(200 * time.Millisecond)
	runtime.ReadMemStats(&after)
	bytes := (after.HeapAlloc + after.StackInuse - before.HeapAlloc - before.StackInuse) / uint64(n)
	// From a processor that is awake, as the other programs.
	for awake := time.Now(); time.Since(awake) < 20*time.Millisecond; {
	}
	start := time.Now()
	cancel()
	ended.Wait()
	return time.Since(start), bytes
}

// As in the other programs, what the first ends cost is left out.
func cancelWorkers(name string, n int) {
	endWorkers(200)
	took, bytes := endWorkers(n)
	report(name, n, perOp(took, n), strconv.FormatUint(bytes, 10))
}

func main() {
	if len(os.Args) != 3 && (len(os.Args) != 4 || os.Args[3] != "done") {
		fmt.Fprintln(os.Stderr, "usage: peer_go WORKLOAD N [done]")
		os.Exit(2)
	}
	asksDone = len(os.Args) == 4
	name := os.Args[1]
	n, err := strconv.Atoi(os.Args[2])
	if err != nil || n < 1 {
		fmt.Fprintln(os.Stderr, "peer_go: N must be a positive number")
		os.Exit(2)
	}
	switch name {
	case "derive":
		derive(name, n)
	case "derive_shared_2t":
		deriveShared(name, n)
	case "poll":
		poll(name, n)
	case "value_10":
		value(name, n)
	case "fanout_cancel":
		fanout(name, n, false)
	case "fanout_cancel_shuffled":
		fanout(name, n, true)
	case "deep_cancel":
		deep(name, n)
	case "cancel_workers":
		cancelWorkers(name, n)
	case "deadline_churn":
		churn(name, n, false)
	case "deadline_churn_random":
		churn(name, n, true)
	case "deadline_fire", "deadline_flood":
		lateness(name, n)
	default:
		fmt.Fprintf(os.Stderr, "peer_go: no workload %q\n", name)
		os.Exit(2)
	}
}
