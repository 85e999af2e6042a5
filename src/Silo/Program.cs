using PersonaActors.Silo.CommandLine;

return await Cli.Run(args, new Surroundings());
