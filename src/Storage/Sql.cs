using NpgsqlTypes;
using Pgvector;

namespace PersonaActors.Storage;

/// <summary>Positional parameters, typed: no boxing, and no guess at a null's type.</summary>
public static class Sql
{
    public static NpgsqlParameter Uuid(Guid value) => new NpgsqlParameter<Guid> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Uuid };

    public static NpgsqlParameter Uuid(Guid? value) => value is { } v ? Uuid(v) : Null(NpgsqlDbType.Uuid);

    public static NpgsqlParameter Text(string? value) =>
        value is null ? Null(NpgsqlDbType.Text) : new NpgsqlParameter<string> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Text };

    public static NpgsqlParameter Json(string? value) =>
        value is null ? Null(NpgsqlDbType.Json) : new NpgsqlParameter<string> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Json };

    public static NpgsqlParameter Jsonb(string? value) =>
        value is null ? Null(NpgsqlDbType.Jsonb) : new NpgsqlParameter<string> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Jsonb };

    public static NpgsqlParameter Bigint(long value) => new NpgsqlParameter<long> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Bigint };

    public static NpgsqlParameter Bigint(long? value) => value is { } v ? Bigint(v) : Null(NpgsqlDbType.Bigint);

    public static NpgsqlParameter Int(int value) => new NpgsqlParameter<int> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Integer };

    public static NpgsqlParameter Int(int? value) => value is { } v ? Int(v) : Null(NpgsqlDbType.Integer);

    public static NpgsqlParameter Double(double? value) =>
        value is { } v ? new NpgsqlParameter<double> { TypedValue = v, NpgsqlDbType = NpgsqlDbType.Double } : Null(NpgsqlDbType.Double);

    public static NpgsqlParameter Numeric(decimal? value) =>
        value is { } v ? new NpgsqlParameter<decimal> { TypedValue = v, NpgsqlDbType = NpgsqlDbType.Numeric } : Null(NpgsqlDbType.Numeric);

    public static NpgsqlParameter Bool(bool value) => new NpgsqlParameter<bool> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Boolean };

    public static NpgsqlParameter Bool(bool? value) => value is { } v ? Bool(v) : Null(NpgsqlDbType.Boolean);

    public static NpgsqlParameter Time(DateTimeOffset value) =>
        new NpgsqlParameter<DateTimeOffset> { TypedValue = value.ToUniversalTime(), NpgsqlDbType = NpgsqlDbType.TimestampTz };

    public static NpgsqlParameter Time(DateTimeOffset? value) => value is { } v ? Time(v) : Null(NpgsqlDbType.TimestampTz);

    public static NpgsqlParameter Date(DateOnly? value) =>
        value is { } v ? new NpgsqlParameter<DateOnly> { TypedValue = v, NpgsqlDbType = NpgsqlDbType.Date } : Null(NpgsqlDbType.Date);

    public static NpgsqlParameter Bytes(byte[]? value) =>
        value is null ? Null(NpgsqlDbType.Bytea) : new NpgsqlParameter<byte[]> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Bytea };

    public static NpgsqlParameter Uuids(Guid[] value) =>
        new NpgsqlParameter<Guid[]> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid };

    public static NpgsqlParameter Texts(string[]? value) => value is null
        ? Null(NpgsqlDbType.Array | NpgsqlDbType.Text)
        : new NpgsqlParameter<string[]> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text };

    public static NpgsqlParameter Bigints(long[] value) =>
        new NpgsqlParameter<long[]> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint };

    public static NpgsqlParameter Times(DateTimeOffset[] value) =>
        new NpgsqlParameter<DateTimeOffset[]> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz };

    public static NpgsqlParameter Vector(ReadOnlyMemory<float>? value) => value is { } vector
        ? new NpgsqlParameter<Vector> { TypedValue = new Vector(vector), DataTypeName = "vector" }
        : new NpgsqlParameter { Value = DBNull.Value, DataTypeName = "vector" };

    private static NpgsqlParameter Null(NpgsqlDbType type) => new() { Value = DBNull.Value, NpgsqlDbType = type };
}

public static class ReaderColumns
{
    public static string? TextOrNull(this NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    public static JsonText? JsonOrNull(this NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : new JsonText(row.GetString(column));

    public static Guid? GuidOrNull(this NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetGuid(column);

    public static T? ValueOrNull<T>(this NpgsqlDataReader row, int column) where T : struct =>
        row.IsDBNull(column) ? null : row.GetFieldValue<T>(column);

    public static DateTimeOffset Time(this NpgsqlDataReader row, int column) => row.GetFieldValue<DateTimeOffset>(column);

    public static DateTimeOffset? TimeOrNull(this NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);
}
