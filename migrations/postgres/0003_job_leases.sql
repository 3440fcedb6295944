-- Which replica has a job, and what others ask of it meanwhile.
ALTER TABLE jobs
  -- Of those of one lock, one runs at a time. NULL: a lock of its kind and collection.
  ADD COLUMN lock text COLLATE "C",
  -- Where alone it may run. NULL: anywhere.
  ADD COLUMN place text COLLATE "C",
  -- The replica that has it, until when: from then on nobody has.
  ADD COLUMN holder text COLLATE "C",
  ADD COLUMN held_until timestamptz,
  -- Rises with each lease: who comes with an older one writes nothing.
  ADD COLUMN token bigint NOT NULL DEFAULT 0,
  ADD COLUMN has_lock boolean NOT NULL DEFAULT false,
  ADD COLUMN wish text CHECK (wish IN ('pause', 'cancel'));

CREATE UNIQUE INDEX jobs_by_lock ON jobs (lock) WHERE has_lock;
CREATE INDEX jobs_by_holder ON jobs (holder) WHERE holder IS NOT NULL;
