#pragma warning disable IDE0130 // The runtime looks for it under this name.
namespace System.Runtime.CompilerServices;

/// <summary>Lets an emitted assembly use the internal types of another; the runtime knows it by its name.</summary>
[AttributeUsage(AttributeTargets.Assembly, AllowMultiple = true)]
internal sealed class IgnoresAccessChecksToAttribute(string assemblyName) : Attribute
{
    public string AssemblyName { get; } = assemblyName;
}
