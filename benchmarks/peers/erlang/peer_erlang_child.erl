%% SPDX-License-Identifier: BSL-1.0
%%
%% An idle child of the benchmarks' supervisor.
-module(peer_erlang_child).
-behaviour(gen_server).
-export([start_link/0, init/1, handle_call/3, handle_cast/2]).

start_link() -> gen_server:start_link(?MODULE, [], []).

init([]) -> {ok, none}.
handle_call(Request, _From, State) -> {reply, Request, State}.
handle_cast(_Message, State) -> {noreply, State}.
