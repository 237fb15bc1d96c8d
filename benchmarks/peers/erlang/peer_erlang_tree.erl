%% SPDX-License-Identifier: BSL-1.0
%%
%% The workloads of supervisors in OTP. Each returns nanoseconds an operation. Children are gen_servers with the
%% default shutdown of 5 s; a child tells the caller of each of its starts, as ours does.
-module(peer_erlang_tree).
-behaviour(supervisor).
-export([run/2, init/1, start_child/2]).

-define(UNLIMITED, 1000000000).
%% OTP keeps every restart within the period in a list that it walks at each: a fresh supervisor after so many keeps it
%% short, which is OTP's cheaper case.
-define(FRESH_AFTER, 100).
-define(SAMPLES, 5000).

run("ordered_stop", N) ->
    Root = root(),
    _ = stop_static(Root, first, 200),
    stop_static(Root, group, N) / N;
run("dynamic_stop", N) ->
    Root = root(),
    _ = stop_dynamic(Root, first, 200),
    stop_dynamic(Root, group, N) / N;
run("deep_stop", N) ->
    Root = root(),
    {ok, _} = supervisor:start_child(Root, below(group, {chain, N - 1})),
    terminate(Root, group) / N;
run("restart_error", N) -> middle(restarts(N, kill));
run("restart_error_p99", N) -> at(restarts(N, kill), 99);
run("restart_exception", N) -> middle(restarts(N, raise));
run("restart_history", N) ->
    {Supervisor, Victim} = group_of(0),
    {Last, _} = strike(N, kill, Victim, []),
    {_, Samples} = strike(1000, kill, Last, []),
    exit(Supervisor, normal),
    middle(lists:sort(Samples));
run("group_restart", N) ->
    Root = root(),
    {ok, Group} = supervisor:start_child(Root, below(group, {static, one_for_all, N, self()})),
    all_up(N),
    Rounds = 20,
    Took = lists:sum([group_round(Group, N) || _ <- lists:seq(1, Rounds)]),
    Took / (N * Rounds).

%% What the first ends cost is left out, as in ours: a group of 200 stops before the one that is measured.
stop_static(Root, Id, N) ->
    {ok, _} = supervisor:start_child(Root, below(Id, {static, one_for_one, N, none})),
    terminate(Root, Id).

stop_dynamic(Root, Id, N) ->
    {ok, Pool} = supervisor:start_child(Root, below(Id, dynamic)),
    [{ok, _} = supervisor:start_child(Pool, []) || _ <- lists:seq(1, N)],
    terminate(Root, Id).

now_ns() -> erlang:monotonic_time(nanosecond).

root() ->
    process_flag(trap_exit, true),
    {ok, Root} = supervisor:start_link(?MODULE, {static, one_for_one, 0, none}),
    Root.

terminate(Root, Id) ->
    erlang:garbage_collect(),
    Start = now_ns(),
    ok = supervisor:terminate_child(Root, Id),
    now_ns() - Start.

%% One child that is struck, and N siblings.
group_of(N) ->
    process_flag(trap_exit, true),
    {ok, Supervisor} = supervisor:start_link(?MODULE, {victim, N, self()}),
    receive {up, Victim} -> {Supervisor, Victim} end.

restarts(N, How) -> restarts(N, How, ?SAMPLES, []).

restarts(_, _, Left, Samples) when Left =< 0 -> lists:sort(Samples);
restarts(N, How, Left, Samples) ->
    {Supervisor, Victim} = group_of(N),
    %% With many siblings a fresh supervisor takes long to start: it is kept for longer.
    Rounds = case N of 0 -> ?FRESH_AFTER; _ -> min(1000, Left) end,
    {_, Taken} = strike(Rounds, How, Victim, []),
    unlink(Supervisor),
    exit(Supervisor, kill),
    restarts(N, How, Left - Rounds, Taken ++ Samples).

strike(0, _, Victim, Samples) -> {Victim, Samples};
strike(Left, How, Victim, Samples) ->
    Start = now_ns(),
    case How of
        kill -> exit(Victim, kill);
        raise -> gen_server:cast(Victim, raise)
    end,
    receive {up, Next} -> ok end,
    1 = gen_server:call(Next, 1),
    Took = now_ns() - Start,
    strike(Left - 1, How, Next, [Took | Samples]).

group_round(Group, N) ->
    {_, Victim, _, _} = lists:nth(N div 2 + 1, supervisor:which_children(Group)),
    Start = now_ns(),
    exit(Victim, kill),
    all_up(N),
    now_ns() - Start.

all_up(0) -> ok;
all_up(N) -> receive {up, _} -> all_up(N - 1) end.

middle(Sorted) -> at(Sorted, 50).
at(Sorted, Percent) -> lists:nth(length(Sorted) * Percent div 100 + 1, Sorted).

below(Id, What) ->
    #{id => Id, start => {supervisor, start_link, [?MODULE, What]}, type => supervisor}.

worker(Id, Whom) -> #{id => Id, start => {?MODULE, start_child, [peer_erlang_child, Whom]}}.

start_child(Module, Whom) -> gen_server:start_link(Module, Whom, []).

init(dynamic) ->
    {ok, {#{strategy => simple_one_for_one}, [#{id => child, start => {peer_erlang_child, start_link, []}, restart => temporary}]}};
init({chain, 0}) -> {ok, {#{}, []}};
init({chain, N}) -> {ok, {#{}, [below(N, {chain, N - 1})]}};
init({victim, N, Whom}) ->
    Flags = #{strategy => one_for_one, intensity => ?UNLIMITED, period => 3600},
    {ok, {Flags, [worker(victim, Whom) | [worker(I, none) || I <- lists:seq(1, N)]]}};
init({static, Strategy, N, Whom}) ->
    Flags = #{strategy => Strategy, intensity => ?UNLIMITED, period => 3600},
    {ok, {Flags, [worker(I, Whom) || I <- lists:seq(1, N)]}}.
