using System.Collections.Concurrent;
using System.Reflection;
using System.Reflection.Emit;

namespace PersonaActors.Engine;

/// <summary>
/// Writes, when an interface is first asked for, the class of its references and one <see cref="Call"/> class a method:
/// what a hand would write, so that a call costs no reflection.
/// </summary>
internal static class ReferenceEmitter
{
    internal sealed record Shape(Func<GrainInterface, string, GrainReference> Create, MethodInfo[] Methods);

    private static readonly ConcurrentDictionary<Type, Lazy<Shape>> Shapes = new();
    private static readonly ConcurrentDictionary<Assembly, ModuleBuilder> Modules = new();
    private static readonly Lock Gate = new();

    private static readonly MethodInfo ReferenceMethod = typeof(GrainReference).GetMethod(nameof(GrainReference.Method))!;

    internal static Shape ShapeOf(Type type) => Shapes.GetOrAdd(type, static type => new(() =>
    {
        // ModuleBuilder is not made for two writers.
        lock (Gate) return Emit(type);
    })).Value;

    private static Shape Emit(Type type)
    {
        if (!type.IsInterface || type.ContainsGenericParameters)
            throw new ArgumentException($"{type} is no grain interface: it must be an interface without open type parameters.");

        Type[] family = [type, .. type.GetInterfaces()];
        MethodInfo[] methods = [.. family.SelectMany(member => member.GetMethods()).Where(method => method.IsAbstract)];
        var module = Modules.GetOrAdd(type.Assembly, static assembly => NewModule(assembly));
        var reference = module.DefineType($"Reference.{type.FullName}", TypeAttributes.Sealed | TypeAttributes.Public,
            typeof(GrainReference), [type]);

        Type[] constructorTypes = [typeof(GrainInterface), typeof(string)];
        var constructor = reference.DefineConstructor(MethodAttributes.Public, CallingConventions.Standard, constructorTypes);
        var il = constructor.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Ldarg_2);
        il.Emit(OpCodes.Call, typeof(GrainReference).GetConstructor(
            BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic, constructorTypes)!);
        il.Emit(OpCodes.Ret);

        for (var i = 0; i < methods.Length; i++) EmitMethod(module, reference, type, methods[i], i);

        var create = reference.DefineMethod("Create", MethodAttributes.Public | MethodAttributes.Static,
            typeof(GrainReference), constructorTypes);
        il = create.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Newobj, constructor);
        il.Emit(OpCodes.Ret);

        return new(reference.CreateType().GetMethod("Create")!
            .CreateDelegate<Func<GrainInterface, string, GrainReference>>(), methods);
    }

    private static void EmitMethod(ModuleBuilder module, TypeBuilder reference, Type type, MethodInfo method, int index)
    {
        var returned = Returned.Of(type, method);
        var parameters = method.GetParameters();
        foreach (var parameter in parameters)
            if (parameter.ParameterType.IsByRef)
                throw new ArgumentException($"{type.Name}.{method.Name}: '{parameter.Name}' is passed by reference; a call can't carry that.");

        var (call, fields, callConstructor) = EmitCall(module, type, method, index, returned);

        var body = reference.DefineMethod($"{type.Name}.{method.Name}.{index}",
            MethodAttributes.Private | MethodAttributes.Virtual | MethodAttributes.Final | MethodAttributes.HideBySig | MethodAttributes.NewSlot,
            method.ReturnType, [.. parameters.Select(parameter => parameter.ParameterType)]);
        var il = body.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldc_I4, index);
        il.Emit(OpCodes.Call, ReferenceMethod);
        il.Emit(OpCodes.Newobj, callConstructor);
        for (var i = 0; i < fields.Length; i++)
        {
            il.Emit(OpCodes.Dup);
            il.Emit(OpCodes.Ldarg, i + 1);
            il.Emit(OpCodes.Stfld, fields[i]);
        }
        il.Emit(OpCodes.Call, returned.Send);
        if (returned.IsValueTask) il.Emit(OpCodes.Newobj, method.ReturnType.GetConstructor([returned.TaskType])!);
        il.Emit(OpCodes.Ret);
        reference.DefineMethodOverride(body, method);
        call.CreateType();
    }

    private static (TypeBuilder Call, FieldBuilder[] Fields, ConstructorBuilder Constructor) EmitCall(
        ModuleBuilder module, Type type, MethodInfo method, int index, Returned returned)
    {
        var call = module.DefineType($"Call.{type.FullName}.{method.Name}.{index}",
            TypeAttributes.Sealed | TypeAttributes.Public, returned.CallType);
        var parameters = method.GetParameters();
        FieldBuilder[] fields = [.. parameters.Select((parameter, i) =>
            call.DefineField($"a{i}", parameter.ParameterType, FieldAttributes.Public))];

        var constructor = call.DefineConstructor(MethodAttributes.Public, CallingConventions.Standard, [typeof(GrainMethod)]);
        var il = constructor.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Call, returned.CallType.GetConstructor(
            BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic, [typeof(GrainMethod)])!);
        il.Emit(OpCodes.Ret);

        var overridden = returned.CallType.GetMethod(nameof(TaskCall.Invoke))!;
        var invoke = call.DefineMethod(overridden.Name, MethodAttributes.Public | MethodAttributes.Virtual | MethodAttributes.HideBySig,
            returned.TaskType, [typeof(object)]);
        il = invoke.GetILGenerator();
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Castclass, method.DeclaringType!);
        foreach (var field in fields)
        {
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Ldfld, field);
        }
        il.Emit(OpCodes.Callvirt, method);
        if (returned.IsValueTask)
        {
            var value = il.DeclareLocal(method.ReturnType);
            il.Emit(OpCodes.Stloc, value);
            il.Emit(OpCodes.Ldloca, value);
            il.Emit(OpCodes.Call, method.ReturnType.GetMethod(nameof(ValueTask.AsTask))!);
        }
        il.Emit(OpCodes.Ret);
        call.DefineMethodOverride(invoke, overridden);

        if (parameters.Length > 0 && parameters[^1].ParameterType == typeof(CancellationToken))
        {
            var getter = typeof(Call).GetProperty(nameof(Call.Token))!.GetMethod!;
            var token = call.DefineMethod(getter.Name, MethodAttributes.Public | MethodAttributes.Virtual | MethodAttributes.HideBySig,
                typeof(CancellationToken), Type.EmptyTypes);
            il = token.GetILGenerator();
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Ldfld, fields[^1]);
            il.Emit(OpCodes.Ret);
            call.DefineMethodOverride(token, getter);
        }
        return (call, fields, constructor);
    }

    private static ModuleBuilder NewModule(Assembly assembly)
    {
        var name = $"PersonaActors.Engine.References.{assembly.GetName().Name}";
        var builder = AssemblyBuilder.DefineDynamicAssembly(new(name), AssemblyBuilderAccess.Run);
        var ignore = typeof(System.Runtime.CompilerServices.IgnoresAccessChecksToAttribute).GetConstructor([typeof(string)])!;
        foreach (var opened in new[] { typeof(ReferenceEmitter).Assembly, assembly })
            builder.SetCustomAttribute(new(ignore, [opened.GetName().Name!]));
        return builder.DefineDynamicModule(name);
    }

    /// <summary>How a method answers, and what of the engine goes with it.</summary>
    private sealed record Returned(Type TaskType, Type CallType, MethodInfo Send, bool IsValueTask)
    {
        private static readonly MethodInfo SendTask = typeof(GrainReference).GetMethod(nameof(GrainReference.Send), 0, [typeof(TaskCall)])!;
        private static readonly MethodInfo SendTaskOf = typeof(GrainReference).GetMethods()
            .Single(method => method is { Name: nameof(GrainReference.Send), IsGenericMethodDefinition: true });

        internal static Returned Of(Type type, MethodInfo method)
        {
            var returned = method.ReturnType;
            if (!method.IsGenericMethodDefinition)
            {
                if (returned == typeof(Task)) return new(typeof(Task), typeof(TaskCall), SendTask, false);
                if (returned == typeof(ValueTask)) return new(typeof(Task), typeof(TaskCall), SendTask, true);
                if (returned.IsGenericType)
                {
                    var isTask = returned.GetGenericTypeDefinition() == typeof(Task<>);
                    if (isTask || returned.GetGenericTypeDefinition() == typeof(ValueTask<>))
                    {
                        var result = returned.GetGenericArguments()[0];
                        return new(typeof(Task<>).MakeGenericType(result), typeof(TaskCall<>).MakeGenericType(result),
                            SendTaskOf.MakeGenericMethod(result), !isTask);
                    }
                }
            }
            throw new ArgumentException(
                $"{type.Name}.{method.Name}: a grain method has no type parameters and returns Task, Task<T>, ValueTask or ValueTask<T>.");
        }
    }
}
