using System.Numerics.Tensors;

namespace PersonaActors.Grains.Embeddings;

public static class Embedding
{
    public const int Dimensions = 1536;

    /// <summary>
    /// A vector of any model as the tables have it. Repeated as often as it fits and filled up with zeros, all vectors of one
    /// model keep the cosines they had.
    /// </summary>
    public static float[] Fit(ReadOnlySpan<float> vector)
    {
        if (vector.Length is 0 or > Dimensions)
        {
            throw new ArgumentOutOfRangeException(nameof(vector), vector.Length, $"A model has from 1 to {Dimensions} dimensions.");
        }

        var fitted = new float[Dimensions];
        for (var at = 0; at + vector.Length <= Dimensions; at += vector.Length)
        {
            vector.CopyTo(fitted.AsSpan(at));
        }

        Normalize(fitted);
        return fitted;
    }

    public static void Normalize(Span<float> vector)
    {
        var length = TensorPrimitives.Norm<float>(vector);
        if (length > 0)
        {
            TensorPrimitives.Divide(vector, length, vector);
        }
    }

    public static double Cosine(ReadOnlySpan<float> one, ReadOnlySpan<float> other) => TensorPrimitives.CosineSimilarity(one, other);
}
