-- What deleted instances were called, for the attempts that went through them. SQLite may give an id anew: what was begun by
-- `deleted_at` is of the instance that was deleted then.
CREATE TABLE former_instances (
    instance_id BIGINT NOT NULL,
    user_id     BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name        TEXT    NOT NULL,
    deleted_at  BIGINT NOT NULL
);
CREATE INDEX former_instances_by_id ON former_instances (instance_id, deleted_at);
CREATE INDEX former_instances_by_account ON former_instances (user_id);
