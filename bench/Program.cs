using PersonaActors.Bench;

// What can be measured. Add a line: a name, and what it runs; every result becomes a row of the one table.
(string Name, Func<Task<Result[]>> Run)[] benchmarks =
[
    ("conversations", Conversations.RunAsync),
    ("focus-sessions", FocusSessions.RunAsync),
    ("mindscapes", Mindscapes.RunAsync),
    ("persisted-commands", PersistedCommands.RunAsync),
    ("resolve", Resolve.RunAsync),
    ("resolve-on-silos", ResolveOnSilos.RunAsync),
    ("prompt-streams", PromptStreams.RunAsync),
    ("realtime-fan-out", RealtimeFanOut.RunAsync),
    ("realtime-latency", RealtimeLatency.RunAsync),
    ("realtime-storm", RealtimeStorm.RunAsync),
];

var unknown = args.Where(arg => !benchmarks.Any(benchmark => benchmark.Name == arg)).ToArray();
if (unknown.Length > 0)
{
    Console.Error.WriteLine($"No benchmark '{unknown[0]}'. There are: {string.Join(", ", benchmarks.Select(benchmark => benchmark.Name))}.");
    return 2;
}

var results = new List<Result>();
foreach (var (name, run) in benchmarks.Where(benchmark => args.Length == 0 || args.Contains(benchmark.Name)))
{
    Console.Error.WriteLine($"{name} …");
    results.AddRange(await run());
}
return ResultTable.Print(results) ? 0 : 1;
