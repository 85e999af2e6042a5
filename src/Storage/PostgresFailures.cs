namespace PersonaActors.Storage;

/// <summary>The failures of the database that we expect, in one place.</summary>
public static class PostgresFailures
{
    /// <summary>Raised by must_hit (sql/0001): a versioned change found another version, or no row.</summary>
    public const string MissedRow = "PA001";

    public static bool IsUnique(this PostgresException e, string constraint) =>
        e.SqlState == PostgresErrorCodes.UniqueViolation && e.ConstraintName == constraint;

    /// <summary>Something that a row refers to, whatever it is, has gone meanwhile.</summary>
    public static bool IsForeignKey(this PostgresException e) => e.SqlState == PostgresErrorCodes.ForeignKeyViolation;

    public static bool IsForeignKey(this PostgresException e, string constraint) =>
        e.SqlState == PostgresErrorCodes.ForeignKeyViolation && e.ConstraintName == constraint;

    /// <summary>The server answered that it can't serve now; whatever was sent has not happened.</summary>
    public static bool IsOutage(this PostgresException e) =>
        e.SqlState is PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow
            or PostgresErrorCodes.TooManyConnections or PostgresErrorCodes.QueryCanceled
        || e.SqlState.StartsWith("08", StringComparison.Ordinal);

    /// <summary>It was thrown because the database can't be reached or gave up, however it is wrapped by whoever met it first.</summary>
    public static bool MeansOutage(this Exception? e)
    {
        for (; e is not null; e = e is ActivationOutdatedException outdated ? outdated.Cause : e.InnerException)
        {
            if (e is StorageUnavailableException || (e is PostgresException refusal ? refusal.IsOutage() : e is NpgsqlException))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Two transactions met; the one that lost may run again from fresh state.</summary>
    public static bool IsCollision(this PostgresException e) =>
        e.SqlState is PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected or MissedRow;
}
