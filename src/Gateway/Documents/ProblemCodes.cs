namespace PersonaActors.Gateway.Documents;

/// <summary>Every code that a problem may have, for the document. Tests hold every answer that they get against it; what is retired stays written down.</summary>
public static class ProblemCodes
{
    public static readonly string[] All =
    [
        // The request as such.
        "bad_request", "body_too_large", "idempotency_key_reused", "invalid_field", "invalid_json", "method_not_allowed", "request_refused", "route_not_found",
        "slow_down", "stream_required", "tenant_required", "too_many_requests", "unknown_field", "unsupported_media_type", "user_required", "version_mismatch",
        // Who calls.
        "admin_only", "host_not_allowed", "key_missing", "key_required", "key_unknown", "may_not_delegate", "may_not_register", "operator_only", "origin_not_allowed",
        "other_tenant", "owner_only", "role_required", "tenant_key_required", "token_audience", "user_inactive",
        // What isn't there, or not for the caller.
        "alias_not_found", "channel_not_found", "clear_not_found", "connection_not_found", "file_not_found", "focus_mode_not_found", "identity_not_found", "job_not_found", "key_not_found", "llm_config_not_found",
        "mapper_not_found", "memory_not_found", "message_deleted", "message_not_found", "mindscape_not_found", "narrative_not_found", "nudge_not_found", "observation_not_found", "override_not_found", "owner_not_found", "persona_not_found", "personality_not_found",
        "activation_not_found", "member_not_found", "rule_not_found", "session_not_found", "slot_not_found", "stream_not_found", "summary_not_found", "system_prompt_not_found", "task_not_found", "tenant_not_found", "trait_not_found", "user_not_found",
        "user_persona_not_found", "persona_expired",
        // What stands against it.
        "alias_taken", "catalogue_full", "channel_full", "confirmation_required", "default_persona", "focus_mode_exists", "identity_conflict", "identity_taken", "job_ended", "last_owner",
        "feedback_rate_limit", "invalid_mapper", "learning_paused", "llm_config_exists", "llm_config_in_use", "mapper_exists", "memories_full", "memory_exists", "mindscape_version_conflict",
        "missing_traits", "no_active_mapper", "persona_name_taken", "session_ended", "session_running", "slug_taken", "task_in_use", "tenant_name_taken",
        "too_many_identities", "too_many_jobs", "too_many_llm_configs", "too_many_owners",
        // Files that aren't what they should be.
        "archive_expired", "card_not_utf8", "card_too_large", "charx_without_card", "definition_private", "invalid_archive", "invalid_card", "invalid_import", "no_cards", "png_broken", "png_without_card", "too_many_cards", "zip_bomb", "zip_broken",
        // For the moment.
        "database_unavailable", "internal_error", "timeout", "unavailable",
    ];
}
