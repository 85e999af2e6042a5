namespace PersonaActors.Storage;

/// <summary>
/// The ownership of a stream that an activation writes under: as its row had it when the activation was loaded (0 where there
/// is none yet), until the activation claims the next one itself. A commit under another one than the row's is refused.
/// </summary>
/// <param name="mustClaim">Whether an activation that is loaded has to claim the stream first, since an earlier writer may still have a commit under way; given the version of the cluster's membership at that moment.</param>
public sealed class OwnerEpoch(string stream, Func<int, Task<bool>>? mustClaim = null)
{
    private bool _isClaimed;

    public string Stream => stream;

    public long Value { get; internal set; }

    internal int Membership { get; set; }

    /// <summary>At most once: what an activation has claimed is its own, however many statements it is loaded with.</summary>
    internal async Task<bool> MustClaim() => !_isClaimed && mustClaim is not null && (_isClaimed = await mustClaim(Membership));
}
