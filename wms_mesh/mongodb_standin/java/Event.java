package mesh.standin;

import de.bwaldvogel.mongo.bson.Document;
import java.nio.ByteBuffer;
import java.time.Instant;
import org.h2.mvstore.WriteBuffer;
import org.h2.mvstore.type.BasicDataType;

/**
 * One change, as the journal keeps it.
 *
 * operation: insert, update, replace or delete. before: null for an insert, and where the collection keeps no
 * pre-images. after: null for a delete. key: {_id: ...}.
 */
record Event(String operation, String database, String collection, Instant wall, Document key, Document before,
        Document after, Document changes) {

    int size() {
        return BsonType.size(before) + BsonType.size(after) + BsonType.size(changes) + 200;
    }

    /** Images stand beside the header, each its own BSON document: together they may exceed the 16 MB of one. */
    static final class Type extends BasicDataType<Event> {

        @Override
        public int getMemory(Event event) {
            return event.size();
        }

        @Override
        public void write(WriteBuffer out, Event event) {
            BsonType.writeDocument(out, new Document("op", event.operation)
                .append("db", event.database)
                .append("coll", event.collection)
                .append("wall", event.wall)
                .append("key", event.key));
            BsonType.writeDocument(out, event.before);
            BsonType.writeDocument(out, event.after);
            BsonType.writeDocument(out, event.changes);
        }

        @Override
        public Event read(ByteBuffer in) {
            Document header = BsonType.readDocument(in);
            return new Event((String) header.get("op"), (String) header.get("db"), (String) header.get("coll"),
                (Instant) header.get("wall"), (Document) header.get("key"),
                BsonType.readDocument(in), BsonType.readDocument(in), BsonType.readDocument(in));
        }

        @Override
        public Event[] createStorage(int size) {
            return new Event[size];
        }
    }
}
