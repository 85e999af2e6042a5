-- Nudges outside sessions: whether the person wants them, when to look next, and what was said.

ALTER TABLE personal_model
  ADD COLUMN preventive_nudges boolean NOT NULL DEFAULT false,
  -- When a nudge may be due; none while nothing known of the person could make one so.
  ADD COLUMN preventive_at timestamptz;
CREATE INDEX personal_model_preventive_due ON personal_model (preventive_at) WHERE preventive_at IS NOT NULL;

CREATE TABLE companion_nudges (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  person_id uuid NOT NULL,
  at timestamptz NOT NULL,
  type varchar(40) NOT NULL CHECK (type IN ('recovery_break_suggestion', 'calming_moment', 'micro_break_suggestion')),
  rule int NOT NULL CHECK (rule BETWEEN 1 AND 3),
  -- Words, reason, and the rhythm and emotion it was said for.
  content json NOT NULL,
  answer varchar(20) CHECK (answer IN ('helpful', 'not_now', 'snooze_15')),
  answered_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, person_id) REFERENCES users ON DELETE CASCADE
);
CREATE INDEX companion_nudges_person ON companion_nudges (tenant_id, person_id, at);
CALL protect('companion_nudges', 'owned', 'person_id');
