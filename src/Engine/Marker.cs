namespace PersonaActors.Engine;
internal static class Marker;
