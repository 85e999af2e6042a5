-- Where the stream stood that a command's events went to: a repeat answers the first answer's cursor too.

ALTER TABLE command_log ADD COLUMN epoch varchar(32), ADD COLUMN seq bigint, ADD CHECK ((epoch IS NULL) = (seq IS NULL));
