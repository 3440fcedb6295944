-- Full text: the words of items' texts, of the names of their files and folders, and of the fields of the metadata that
-- their collection chooses. It follows `items`: an item's words are in `words`, or the item is in `unread`, whatever
-- moment a crash comes at. Both can be thrown away and made anew (src/store/embedded/full-text/word-table.ts).

-- Which fields of the metadata are read: a JSON list of strings.
ALTER TABLE collections ADD COLUMN text_fields TEXT NOT NULL DEFAULT '[]';

-- `content` is made of words with a space between each two; it is not kept. rowid: (the collection's key << 40) + the item's.
CREATE VIRTUAL TABLE words USING fts5 (content, content = '', contentless_delete = 1, tokenize = 'ascii');

-- Items whose words are not in `words`, or not as they are. `waits`: they are read in the background; else by the
-- transaction that wrote them, before it ends.
CREATE TABLE unread (
  item INTEGER PRIMARY KEY,
  collection INTEGER NOT NULL,
  waits INTEGER NOT NULL CHECK (waits IN (0, 1))
) STRICT;

CREATE INDEX unread_by_collection ON unread (collection);
CREATE INDEX unread_now ON unread (item) WHERE waits = 0;

INSERT INTO unread SELECT key, collection, 1 FROM items;

CREATE TRIGGER items_unread AFTER INSERT ON items BEGIN
  INSERT OR REPLACE INTO unread VALUES (NEW.key, NEW.collection, 0);
END;

CREATE TRIGGER items_unread_again AFTER UPDATE OF metadata, sources ON items BEGIN
  INSERT OR REPLACE INTO unread VALUES (NEW.key, NEW.collection, 0);
END;

CREATE TRIGGER items_no_words AFTER DELETE ON items BEGIN
  DELETE FROM unread WHERE item = OLD.key;
  DELETE FROM words WHERE rowid = (OLD.collection << 40) + OLD.key;
END;
