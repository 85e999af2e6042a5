-- Focus: sessions with their events, and what is known of the person around them.

CREATE TABLE planned_items (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  person_id uuid NOT NULL,
  title varchar(500) NOT NULL CHECK (btrim(title) <> ''),
  energy double precision CHECK (energy BETWEEN 0 AND 1),
  ease int CHECK (ease BETWEEN 1 AND 5),
  status varchar(10) NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'doing', 'done', 'dropped')),
  estimate_minutes int CHECK (estimate_minutes BETWEEN 1 AND 1440),
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, person_id, id),
  FOREIGN KEY (tenant_id, person_id) REFERENCES users ON DELETE CASCADE
);
CALL protect('planned_items', 'owned', 'person_id');

CREATE TABLE focus_sessions (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  person_id uuid NOT NULL,
  task_id uuid,
  mode varchar(20) NOT NULL DEFAULT 'deep' CHECK (mode IN ('deep', 'pomodoro', 'flowtime', 'countdown')),
  status varchar(10) NOT NULL CHECK (status IN ('active', 'paused', 'on_break', 'ended')),
  start_time timestamptz NOT NULL,
  end_time timestamptz,
  estimated_duration int CHECK (estimated_duration BETWEEN 1 AND 10080),
  actual_duration int CHECK (actual_duration >= 0),
  completion_score double precision CHECK (completion_score BETWEEN 0 AND 1),
  session_quality json,
  start_state json NOT NULL,
  -- The timeline, what was said, the flow window: read and written by the session's grain only.
  state json NOT NULL,
  end_reason varchar(20) CHECK (end_reason IN ('finished', 'early', 'abandoned', 'taken_over', 'countdown')),
  summary json,
  next_tick_at timestamptz,
  phase_ends_at timestamptz,
  -- What the sweep looks for: whichever falls due first.
  wake_at timestamptz GENERATED ALWAYS AS (LEAST(next_tick_at, phase_ends_at)) STORED,
  version bigint NOT NULL DEFAULT 1,
  PRIMARY KEY (tenant_id, id),
  CHECK ((status = 'ended') = (end_time IS NOT NULL)),
  CHECK ((status = 'ended') = (end_reason IS NOT NULL)),
  CHECK ((status = 'ended') = (summary IS NOT NULL)),
  CHECK ((status = 'ended') = (next_tick_at IS NULL)),
  CHECK (end_time >= start_time),
  FOREIGN KEY (tenant_id, person_id) REFERENCES users ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, person_id, task_id) REFERENCES planned_items (tenant_id, person_id, id) ON DELETE SET NULL (task_id)
);
-- One live session a person.
CREATE UNIQUE INDEX focus_sessions_live ON focus_sessions (tenant_id, person_id) WHERE status <> 'ended';
CREATE INDEX focus_sessions_wake ON focus_sessions (wake_at) WHERE status <> 'ended';
CREATE INDEX focus_sessions_person ON focus_sessions (tenant_id, person_id, start_time);
CALL protect('focus_sessions', 'owned', 'person_id', true);

CREATE TABLE focus_events (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  session_id uuid NOT NULL,
  person_id uuid NOT NULL,
  ts timestamptz NOT NULL,
  event_type varchar(40) NOT NULL CHECK (event_type IN (
    'session_start', 'session_end', 'ping', 'tick', 'paused', 'resumed', 'break_started', 'break_over', 'extended', 'idle_started', 'idle_ended',
    'flow_entered', 'flow_left', 'snoozed',
    'recovery_break_suggestion', 'calming_moment', 'micro_break_suggestion', 'flow_dip_refocus', 'flow_continue', 'encouragement_soft')),
  tick int CHECK (tick >= 0),
  content json NOT NULL,
  rhythm_state json,
  task_state json,
  emotion_state json,
  answer varchar(20) CHECK (answer IN ('helpful', 'not_now', 'snooze_15')),
  answered_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, session_id, tick),
  FOREIGN KEY (tenant_id, session_id) REFERENCES focus_sessions ON DELETE CASCADE
);
CREATE INDEX focus_events_session ON focus_events (tenant_id, session_id, ts);
CREATE INDEX focus_events_person ON focus_events (tenant_id, person_id, ts) WHERE answer IS NOT NULL;
CALL protect('focus_events', 'owned', 'person_id');

CREATE TABLE rhythm_state (
  tenant_id uuid NOT NULL,
  person_id uuid NOT NULL,
  body_energy double precision CHECK (body_energy BETWEEN 0 AND 1),
  mind_focus double precision CHECK (mind_focus BETWEEN 0 AND 1),
  emotion_tone varchar(50),
  fatigue_level double precision CHECK (fatigue_level BETWEEN 0 AND 1),
  stress_level double precision CHECK (stress_level BETWEEN 0 AND 1),
  next_peak timestamptz,
  next_lull timestamptz,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, person_id),
  FOREIGN KEY (tenant_id, person_id) REFERENCES users ON DELETE CASCADE
);
CALL protect('rhythm_state', 'owned', 'person_id');

CREATE TABLE rhythm_daily_curve (
  tenant_id uuid NOT NULL,
  person_id uuid NOT NULL,
  energy double precision[] NOT NULL CHECK (array_length(energy, 1) = 96 AND 0 <= ALL (energy) AND 1 >= ALL (energy)),
  confidence double precision NOT NULL CHECK (confidence BETWEEN 0 AND 1),
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, person_id),
  FOREIGN KEY (tenant_id, person_id) REFERENCES users ON DELETE CASCADE
);
CALL protect('rhythm_daily_curve', 'owned', 'person_id');

CREATE TABLE personal_model (
  tenant_id uuid NOT NULL,
  person_id uuid NOT NULL,
  emotion varchar(20) NOT NULL DEFAULT 'neutral' CHECK (emotion IN ('positive', 'negative', 'neutral')),
  habit_streak int NOT NULL DEFAULT 0 CHECK (habit_streak >= 0),
  habit_strength double precision NOT NULL DEFAULT 0 CHECK (habit_strength BETWEEN 0 AND 1),
  habit_last_day date,
  -- When the emotion may change by itself, because what it rests on expires.
  emotion_until timestamptz,
  version bigint NOT NULL DEFAULT 1,
  PRIMARY KEY (tenant_id, person_id),
  FOREIGN KEY (tenant_id, person_id) REFERENCES users ON DELETE CASCADE
);
CREATE INDEX personal_model_emotion_due ON personal_model (emotion_until) WHERE emotion_until IS NOT NULL;
CALL protect('personal_model', 'owned', 'person_id', true);

CREATE TABLE memory_short_term (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  person_id uuid NOT NULL,
  type varchar(50) NOT NULL CHECK (btrim(type) <> ''),
  content json NOT NULL,
  sentiment double precision CHECK (sentiment BETWEEN -1 AND 1),
  emotion_tags text[] NOT NULL DEFAULT '{}',
  session_id uuid,
  created_at timestamptz NOT NULL,
  expires_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  -- A session is summed up once.
  UNIQUE (tenant_id, session_id, type),
  FOREIGN KEY (tenant_id, person_id) REFERENCES users ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, session_id) REFERENCES focus_sessions ON DELETE CASCADE
);
CREATE INDEX memory_short_term_person ON memory_short_term (tenant_id, person_id, created_at);
CREATE INDEX memory_short_term_expiry ON memory_short_term (expires_at) WHERE expires_at IS NOT NULL;
CALL protect('memory_short_term', 'owned', 'person_id', true);
