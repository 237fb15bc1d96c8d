%% SPDX-License-Identifier: BSL-1.0
%%
%% A child of the benchmarks' supervisors. It tells who wants to know of its start.
-module(peer_erlang_child).
-behaviour(gen_server).
-export([start_link/0, init/1, handle_call/3, handle_cast/2]).

start_link() -> gen_server:start_link(?MODULE, [], []).

init(Whom) when is_pid(Whom) -> Whom ! {up, self()}, {ok, none};
init(_) -> {ok, none}.
handle_call(Request, _From, State) -> {reply, Request, State}.
handle_cast(raise, _State) -> error(boom);
handle_cast(_Message, State) -> {noreply, State}.
