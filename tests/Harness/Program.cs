// The runner of the tests loads this assembly; started by itself it is a node on a clock of its starter's.
return await ClockedNode.Run(long.Parse(args[0]));
