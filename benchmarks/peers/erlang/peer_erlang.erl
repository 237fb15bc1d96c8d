%% SPDX-License-Identifier: BSL-1.0
%%
%% The workloads in Erlang/OTP: `erl -noshell -pa DIR -run peer_erlang main WORKLOAD N` prints
%% `workload<TAB>n<TAB>ns_per_op<TAB>bytes_per_item`. Logging is off. The caller is a process.
-module(peer_erlang).
-behaviour(supervisor).
-export([main/1, init/1, pong/0]).

-define(FAR, 3600000).
-define(CHURN_OPS, 1000000).

main([Workload, N]) ->
    logger:set_primary_config(level, none),
    Number = list_to_integer(N),
    {Ns, Bytes} = run(Workload, Number),
    io:format("~s\t~b\t~.2f\t~s~n", [Workload, Number, float(Ns), Bytes]),
    erlang:halt(0);
main(_) ->
    io:format(standard_error, "usage: peer_erlang WORKLOAD N~n", []),
    erlang:halt(2).

run("deadline_churn", N) -> churn(N, in_order);
run("deadline_churn_random", N) -> churn(N, at_random);
run("deadline_fire", N) -> lateness(N);
run("start_child", N) -> start_child(N);
run("cancel_workers", N) -> cancel_workers(N);
run("ping_pong", N) -> ping_pong(N);
run(Workload, N) when Workload =:= "ordered_stop"; Workload =:= "dynamic_stop"; Workload =:= "deep_stop";
                      Workload =:= "restart_error"; Workload =:= "restart_error_p99";
                      Workload =:= "restart_exception"; Workload =:= "restart_history";
                      Workload =:= "group_restart" ->
    {peer_erlang_tree:run(Workload, N), "-"};
run(Workload, _) ->
    io:format(standard_error, "peer_erlang: no workload ~s~n", [Workload]),
    erlang:halt(2).

now_ns() -> erlang:monotonic_time(nanosecond).

%% N timers are live. A round releases each and arms another in its place; rounds until enough operations are done.
churn(N, Order) ->
    Live = [arm() || _ <- lists:seq(1, N)],
    Rounds = max(1, ?CHURN_OPS div N),
    Permutation = case Order of
                      in_order -> none;
                      at_random -> [I || {_, I} <- lists:sort([{rand:uniform(), I} || I <- lists:seq(1, N)])]
                  end,
    erlang:garbage_collect(),
    Start = now_ns(),
    Last = rounds(Rounds, Live, Permutation),
    Took = now_ns() - Start,
    lists:foreach(fun release/1, Last),
    {Took / (Rounds * N), "-"}.

rounds(0, Live, _) -> Live;
rounds(Left, Live, none) -> rounds(Left - 1, [begin release(Timer), arm() end || Timer <- Live], none);
rounds(Left, Live, Permutation) ->
    Timers = list_to_tuple(Live),
    rounds(Left - 1, [begin release(element(I, Timers)), arm() end || I <- Permutation], Permutation).

arm() -> erlang:start_timer(?FAR, self(), far).
release(Timer) -> erlang:cancel_timer(Timer, [{async, true}, {info, false}]).

%% Erlang's timers have whole milliseconds: the deadlines are whole milliseconds too, and lateness counts from those.
lateness(N) ->
    Base = erlang:monotonic_time(millisecond) + 500 + N div 300,
    Order = [I || {_, I} <- lists:sort([{rand:uniform(), I} || I <- lists:seq(0, N - 1)])],
    lists:foreach(fun(I) ->
                          At = Base + I * 1000 div N,
                          erlang:start_timer(At, self(), At, [{abs, true}])
                  end, Order),
    true = erlang:monotonic_time(millisecond) < Base,
    Late = lists:sort(collect(N, [])),
    {lists:nth(N * 99 div 100 + 1, Late), "-"}.

collect(0, Late) -> Late;
collect(Left, Late) ->
    receive {timeout, _, At} -> collect(Left - 1, [now_ns() - At * 1000000 | Late]) end.

start_child(N) ->
    process_flag(trap_exit, true),
    %% What the first starts cost is left out, as in the other programs: another supervisor has started 200, which live on.
    {ok, First} = supervisor:start_link(?MODULE, []),
    start_children(200, First),
    {ok, Supervisor} = supervisor:start_link(?MODULE, []),
    erlang:garbage_collect(),
    Before = erlang:memory(total),
    Start = now_ns(),
    start_children(N, Supervisor),
    Took = now_ns() - Start,
    Bytes = (erlang:memory(total) - Before) div N,
    {Took / N, integer_to_list(Bytes)}.

start_children(0, _) -> ok;
start_children(Left, Supervisor) ->
    {ok, _} = supervisor:start_child(Supervisor, []),
    start_children(Left - 1, Supervisor).

%% A supervisor with N children is told to shut down: OTP's way to end a group of workers. As in the other programs, what
%% the first ends cost is left out.
cancel_workers(N) ->
    _ = end_workers(200),
    end_workers(N).

end_workers(N) ->
    process_flag(trap_exit, true),
    erlang:garbage_collect(),
    Before = erlang:memory(total),
    {ok, Supervisor} = supervisor:start_link(?MODULE, []),
    start_children(N, Supervisor),
    Bytes = (erlang:memory(total) - Before) div N,
    Monitor = erlang:monitor(process, Supervisor),
    Start = now_ns(),
    exit(Supervisor, shutdown),
    receive {'DOWN', Monitor, process, _, _} -> ok end,
    {(now_ns() - Start) / N, integer_to_list(Bytes)}.

init([]) ->
    Flags = #{strategy => simple_one_for_one, intensity => 1, period => 5},
    Child = #{id => child, start => {peer_erlang_child, start_link, []}, restart => temporary},
    {ok, {Flags, [Child]}}.

ping_pong(N) ->
    Pong = spawn_link(?MODULE, pong, []),
    Start = now_ns(),
    ping(N, Pong),
    {(now_ns() - Start) / N, "-"}.

ping(0, _) -> ok;
ping(Left, Pong) ->
    Pong ! {self(), Left},
    receive Left -> ping(Left - 1, Pong) end.

pong() ->
    receive {From, Number} -> From ! Number, pong() end.
