using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Npgsql;

namespace PersonaActors.Bench;

/// <summary>
/// The way of the founding document 001: its schema, and its effective-config query for each request. Mended where it can't
/// run: without `inline_system_prompt`, a column that its schema lacks, and joined to personas for the text. Prepared, pooled,
/// on the same PostgreSQL.
/// </summary>
internal static class SeedQuery
{
    private const string Schema = """
        CREATE SCHEMA seed;
        CREATE TABLE seed.users (id uuid PRIMARY KEY, discord_id varchar(20) UNIQUE NOT NULL, username varchar(255) NOT NULL, global_persona_id uuid);
        CREATE TABLE seed.personas (id uuid PRIMARY KEY, name varchar(255) NOT NULL, description text, content text NOT NULL,
          owner_id uuid REFERENCES seed.users ON DELETE CASCADE, is_global boolean DEFAULT false);
        ALTER TABLE seed.users ADD FOREIGN KEY (global_persona_id) REFERENCES seed.personas ON DELETE SET NULL;
        CREATE INDEX ON seed.personas (owner_id);
        CREATE INDEX ON seed.personas (is_global) WHERE is_global;
        CREATE TABLE seed.system_prompts (id uuid PRIMARY KEY, name varchar(255) NOT NULL, content text NOT NULL, is_default boolean DEFAULT false);
        CREATE UNIQUE INDEX ON seed.system_prompts (is_default) WHERE is_default;
        CREATE TABLE seed.llm_configs (id uuid PRIMARY KEY, name varchar(255) NOT NULL, model varchar(255) NOT NULL, temperature decimal(3,2), is_default boolean DEFAULT false);
        CREATE UNIQUE INDEX ON seed.llm_configs (is_default) WHERE is_default;
        CREATE TABLE seed.personalities (id uuid PRIMARY KEY, name varchar(255) NOT NULL, slug varchar(255) UNIQUE NOT NULL,
          system_prompt_id uuid REFERENCES seed.system_prompts, llm_config_id uuid REFERENCES seed.llm_configs);
        CREATE TABLE seed.user_personality_settings (id uuid PRIMARY KEY, user_id uuid REFERENCES seed.users, personality_id uuid REFERENCES seed.personalities,
          persona_id uuid REFERENCES seed.personas, llm_config_id uuid REFERENCES seed.llm_configs, UNIQUE (user_id, personality_id));
        """;

    private const string Fill = """
        INSERT INTO seed.users (id, discord_id, username) SELECT u.id, lpad(row_number() OVER ()::text, 18, '0'), u.username FROM users u;
        INSERT INTO seed.personas (id, name, content, owner_id) SELECT p.id, p.name, p.content, p.owner_id FROM personas p;
        UPDATE seed.users u SET global_persona_id = d.persona_id FROM user_default_personas d WHERE d.user_id = u.id;
        INSERT INTO seed.system_prompts (id, name, content) SELECT s.id, s.name, s.content FROM system_prompts s;
        INSERT INTO seed.llm_configs (id, name, model, temperature, is_default) SELECT l.id, l.name, l.model, l.temperature, l.is_default FROM llm_configs l;
        INSERT INTO seed.personalities (id, name, slug, system_prompt_id, llm_config_id)
          SELECT p.id, p.name, p.slug, p.system_prompt_id, d.llm_config_id FROM personalities p LEFT JOIN personality_default_configs d ON d.personality_id = p.id;
        INSERT INTO seed.user_personality_settings (id, user_id, personality_id, persona_id, llm_config_id)
          SELECT gen_random_uuid(), o.user_id, o.personality_id, o.persona_id, o.llm_config_id FROM user_personality_configs o;
        GRANT USAGE ON SCHEMA seed TO personactors_app;
        GRANT SELECT ON ALL TABLES IN SCHEMA seed TO personactors_app;
        ANALYZE;
        """;

    private const string Query = """
        WITH effective_config AS (
          SELECT p.id AS personality_id, p.name AS personality_name,
            COALESCE(ups.persona_id, u.global_persona_id, (SELECT id FROM seed.personas WHERE is_global = true LIMIT 1)) AS effective_persona_id,
            COALESCE(sp.content, (SELECT content FROM seed.system_prompts WHERE is_default = true)) AS effective_system_prompt,
            COALESCE(ups_llm.model, p_llm.model, (SELECT model FROM seed.llm_configs WHERE is_default = true)) AS effective_model,
            COALESCE(ups_llm.temperature, p_llm.temperature, (SELECT temperature FROM seed.llm_configs WHERE is_default = true)) AS effective_temperature
          FROM seed.personalities p
          LEFT JOIN seed.users u ON u.id = $1
          LEFT JOIN seed.user_personality_settings ups ON ups.user_id = $1 AND ups.personality_id = p.id
          LEFT JOIN seed.system_prompts sp ON sp.id = p.system_prompt_id
          LEFT JOIN seed.llm_configs p_llm ON p_llm.id = p.llm_config_id
          LEFT JOIN seed.llm_configs ups_llm ON ups_llm.id = ups.llm_config_id
          WHERE p.id = $2)
        SELECT e.personality_id, e.personality_name, persona.name, persona.content, e.effective_system_prompt, e.effective_model, e.effective_temperature
        FROM effective_config e LEFT JOIN seed.personas persona ON persona.id = e.effective_persona_id
        """;

    internal static async Task Make(string superuser)
    {
        await using var source = NpgsqlDataSource.Create(superuser);
        await using var schema = source.CreateCommand(Schema);
        await schema.ExecuteNonQueryAsync();
        await using var fill = source.CreateCommand(Fill);
        fill.CommandTimeout = 300;
        await fill.ExecuteNonQueryAsync();
    }

    /// <summary>Serves /{user}/{personality}.</summary>
    internal static async Task<WebApplication> Serve(string connectionString)
    {
        var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { MaxPoolSize = 50, MaxAutoPrepare = 20, AutoPrepareMinUsages = 2 }.ConnectionString);
        var app = BareKestrel.Build();
        app.Lifetime.ApplicationStopped.Register(source.Dispose);
        app.Run(async http =>
        {
            var path = http.Request.Path.Value.AsSpan();
            await using var command = source.CreateCommand(Query);
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = Guid.Parse(path.Slice(1, 36)) });
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = Guid.Parse(path.Slice(38, 36)) });
            await using var reader = await command.ExecuteReaderAsync(http.RequestAborted);
            await reader.ReadAsync(http.RequestAborted);
            var body = JsonSerializer.SerializeToUtf8Bytes(new
            {
                systemPrompt = $"{reader.GetString(4)}\n\n{reader.GetString(2)}\n{reader.GetString(3)}",
                personality = new { id = reader.GetGuid(0), name = reader.GetString(1) },
                model = reader.GetString(5),
                temperature = reader.IsDBNull(6) ? (decimal?)null : reader.GetDecimal(6),
            });
            http.Response.ContentType = "application/json";
            http.Response.ContentLength = body.Length;
            await http.Response.BodyWriter.WriteAsync(body);
        });
        await app.StartAsync();
        return app;
    }
}
