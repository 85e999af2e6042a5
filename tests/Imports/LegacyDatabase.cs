using Npgsql;

namespace PersonaActors.Tests.Imports;

/// <summary>A database in the shape of the first founding document, with everything in it that makes taking it over hard.</summary>
internal sealed class LegacyDatabase : IAsyncDisposable
{
    private readonly string _server;
    private readonly string _name = $"legacy_{Guid.NewGuid():N}";

    private LegacyDatabase(string server) => _server = server;

    public string ConnectionString => new NpgsqlConnectionStringBuilder(_server) { Database = _name, Pooling = false }.ConnectionString;

    private const string Schema = """
        CREATE TABLE users (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), discord_id varchar(20) UNIQUE NOT NULL, username varchar(255) NOT NULL, global_persona_id uuid,
          created_at timestamp DEFAULT now(), updated_at timestamp DEFAULT now());
        CREATE TABLE personas (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name varchar(255) NOT NULL, description text, content text NOT NULL,
          owner_id uuid REFERENCES users (id) ON DELETE CASCADE, is_global boolean DEFAULT false, created_at timestamp DEFAULT now(), updated_at timestamp DEFAULT now());
        ALTER TABLE users ADD FOREIGN KEY (global_persona_id) REFERENCES personas (id) ON DELETE SET NULL;
        CREATE TABLE system_prompts (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name varchar(255) NOT NULL, description text, content text NOT NULL, is_default boolean DEFAULT false,
          created_at timestamp DEFAULT now(), updated_at timestamp DEFAULT now());
        CREATE UNIQUE INDEX ON system_prompts (is_default) WHERE is_default;
        CREATE TABLE llm_configs (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name varchar(255) NOT NULL, description text, model varchar(255) NOT NULL, temperature decimal(3,2),
          top_p decimal(3,2), top_k int, frequency_penalty decimal(3,2), presence_penalty decimal(3,2), repetition_penalty decimal(3,2), max_tokens int,
          is_default boolean DEFAULT false, is_free_default boolean DEFAULT false, created_at timestamp DEFAULT now(), updated_at timestamp DEFAULT now());
        CREATE UNIQUE INDEX ON llm_configs (is_default) WHERE is_default;
        CREATE TABLE personalities (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name varchar(255) NOT NULL, display_name varchar(255), slug varchar(255) UNIQUE NOT NULL, avatar_url text,
          system_prompt_id uuid REFERENCES system_prompts (id) ON DELETE SET NULL, llm_config_id uuid REFERENCES llm_configs (id) ON DELETE SET NULL,
          voice_enabled boolean DEFAULT false, voice_settings jsonb, image_enabled boolean DEFAULT false, image_settings jsonb, memory_enabled boolean DEFAULT true,
          context_window_size int DEFAULT 20, created_at timestamp DEFAULT now(), updated_at timestamp DEFAULT now());
        CREATE TABLE personality_owners (personality_id uuid REFERENCES personalities (id) ON DELETE CASCADE, user_id uuid REFERENCES users (id) ON DELETE CASCADE,
          role varchar(50) DEFAULT 'owner', created_at timestamp DEFAULT now(), PRIMARY KEY (personality_id, user_id));
        CREATE TABLE user_personality_settings (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), user_id uuid REFERENCES users (id) ON DELETE CASCADE,
          personality_id uuid REFERENCES personalities (id) ON DELETE CASCADE, persona_id uuid REFERENCES personas (id) ON DELETE SET NULL,
          llm_config_id uuid REFERENCES llm_configs (id) ON DELETE SET NULL, created_at timestamp DEFAULT now(), updated_at timestamp DEFAULT now(), UNIQUE (user_id, personality_id));
        CREATE TABLE conversation_history (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), channel_id varchar(20) NOT NULL, personality_id uuid REFERENCES personalities (id) ON DELETE CASCADE,
          user_id uuid REFERENCES users (id) ON DELETE CASCADE, role varchar(20) NOT NULL, content text NOT NULL, created_at timestamp DEFAULT now());
        CREATE TABLE activated_channels (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), channel_id varchar(20) NOT NULL, personality_id uuid REFERENCES personalities (id) ON DELETE CASCADE,
          auto_respond boolean DEFAULT true, created_by uuid REFERENCES users (id) ON DELETE SET NULL, created_at timestamp DEFAULT now(), UNIQUE (channel_id, personality_id));
        """;

    /// <summary>Users refer to personas that refer to users; some personas are everybody's, some somebody else's, some nobody's; slugs, names and values that aren't taken as they are.</summary>
    private const string Rows = """
        CREATE FUNCTION u(i int) RETURNS uuid LANGUAGE sql AS $$ SELECT md5('user ' || i)::uuid $$;
        CREATE FUNCTION p(what text, i int) RETURNS uuid LANGUAGE sql AS $$ SELECT md5(what || ' ' || i)::uuid $$;
        INSERT INTO system_prompts (id, name, content, is_default) VALUES (p('prompt', 1), 'One', 'You are one of {{char}}.', true), (p('prompt', 2), '', 'Two.', false);
        INSERT INTO llm_configs (id, name, model, temperature, is_default, is_free_default) VALUES
          (p('config', 1), 'Precise', 'm1', 0.1, true, true), (p('config', 2), 'precise', 'm2', 3.5, false, true), (p('config', 3), repeat('n', 200), repeat('m', 250), 1, false, false);
        INSERT INTO users (id, discord_id, username, created_at)
          SELECT u(i), (10000000000000000 + i)::text, CASE WHEN i % 17 = 0 THEN ' ' ELSE 'user ' || i END, timestamp '2024-03-01 12:00' + i * interval '1 minute' FROM generate_series(1, :users) i;
        INSERT INTO personas (id, name, content, owner_id) SELECT p('own', i), 'Me', CASE WHEN i % 5 = 0 THEN repeat('long ', 1000) ELSE 'I am ' || i END, u(i) FROM generate_series(1, :users) i;
        INSERT INTO personas (id, name, content, owner_id) SELECT p('second', i), CASE WHEN i % 20 = 0 THEN '' WHEN i % 30 = 0 THEN '12345678901234567' ELSE 'ME' END, 'again', u(i)
          FROM generate_series(10, :users, 10) i;
        INSERT INTO personas (id, name, content, is_global) SELECT p('everybody', i), 'Everybody ' || i, 'Anybody.', true FROM generate_series(1, 3) i;
        INSERT INTO personas (id, name, content) SELECT p('nobody', i), 'Nobody', 'Nobody''s.' FROM generate_series(1, 4) i;
        UPDATE users SET global_persona_id = p('own', i) FROM generate_series(1, :users) i WHERE id = u(i) AND i % 13 <> 0;
        UPDATE users SET global_persona_id = p('everybody', 1 + i % 2) FROM generate_series(1, :users) i WHERE id = u(i) AND i % 7 = 0;
        INSERT INTO personalities (id, name, slug, system_prompt_id, llm_config_id, context_window_size, voice_settings)
          SELECT p('character', i), 'Character ' || i, CASE i % 6 WHEN 0 THEN 'Character_' || i WHEN 1 THEN repeat('s', 60) || i WHEN 2 THEN CASE WHEN i = 2 THEN 'admin' ELSE '!' || i END
            ELSE 'character-' || i END, p('prompt', 1 + i % 2), p('config', 1 + i % 3), CASE WHEN i % 4 = 0 THEN 500 ELSE 30 END, '{"voice":1}' FROM generate_series(1, greatest(6, :users / 10)) i;
        INSERT INTO personality_owners (personality_id, user_id, role) SELECT p('character', i), u(i), CASE WHEN i % 3 = 0 THEN 'boss' ELSE 'owner' END FROM generate_series(1, greatest(6, :users / 10)) i;
        INSERT INTO user_personality_settings (user_id, personality_id, persona_id, llm_config_id)
          SELECT u(i), p('character', 1 + i % 6), CASE i % 4 WHEN 0 THEN p('own', 1) WHEN 1 THEN p('own', i) WHEN 2 THEN p('everybody', 3) END, CASE WHEN i % 8 = 3 THEN p('config', 1) END
          FROM generate_series(1, :users) i;
        INSERT INTO conversation_history (id, channel_id, personality_id, user_id, role, content, created_at)
          SELECT p('message', i), (900 + i % 3)::text, p('character', 1 + i % 6), u(i), CASE WHEN i % 10 = 0 THEN 'narrator' WHEN i % 2 = 0 THEN 'assistant' ELSE 'user' END, 'Message ' || i,
            (now() AT TIME ZONE 'UTC') - interval '1 hour' + i * interval '1 second' FROM generate_series(1, :users) i;
        INSERT INTO activated_channels (id, channel_id, personality_id, created_by) SELECT p('activation', i), (900 + i % 3)::text, p('character', i), u(i) FROM generate_series(1, 6) i;
        """;

    public static async Task<LegacyDatabase> Create(TestDatabase beside, int users)
    {
        var database = new LegacyDatabase(beside.Superuser);
        await Sql.Run(beside.Superuser, $"CREATE DATABASE {database._name}");
        await Sql.Run(database.ConnectionString, Schema);
        await Sql.Run(database.ConnectionString, Rows.Replace(":users", users.ToString()));
        return database;
    }

    public async ValueTask DisposeAsync() => await Sql.Run(_server, $"DROP DATABASE {_name} WITH (FORCE)");
}
