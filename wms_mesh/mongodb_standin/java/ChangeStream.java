package mesh.standin;

import de.bwaldvogel.mongo.backend.Cursor;
import de.bwaldvogel.mongo.backend.aggregation.Aggregation;
import de.bwaldvogel.mongo.bson.BsonTimestamp;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.MongoServerError;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** The cursor of one $changeStream: a place in the journal, a scope, and the stages that follow. */
final class ChangeStream implements Cursor {

    private static final int BATCH_COUNT = 1000;
    private static final int BATCH_BYTES = 8 << 20;
    // Each connection has its own thread up to StandIn.THREADS; beyond, a waiting stream may delay a neighbour by this much.
    private static final long LONGEST_WAIT = 250;

    private final long id;
    private final Journal journal;
    private final Predicate<Event> scope;
    private final Aggregation stages;
    private final Document options;
    private long position;

    ChangeStream(long id, Journal journal, Document options, Predicate<Event> scope, Aggregation stages) {
        this.id = id;
        this.journal = journal;
        this.options = options;
        this.scope = scope;
        this.stages = stages;
        this.position = start();
        requireHistory();
    }

    private void requireHistory() {
        if (!journal.remembers(position)) {
            throw new MongoServerError(286, "ChangeStreamHistoryLost",
                "Resume of change stream was not possible, as the resume point may no longer be in the oplog.");
        }
    }

    private long start() {
        for (String option : List.of("resumeAfter", "startAfter")) {
            if (options.get(option) != null) {
                String token = (String) ((Document) options.get(option)).get("_data");
                return Long.parseLong(token.substring(2, 18), 16);
            }
        }
        BsonTimestamp time = (BsonTimestamp) options.get("startAtOperationTime");
        return time == null ? journal.time().getValue() : time.getValue() - 1; // a start time is inclusive
    }

    /** A token of the shape that Debezium parses: the type byte 0x82 and the cluster time. */
    static Document token(long timestamp) {
        return new Document("_data", String.format("82%016X00", timestamp));
    }

    /** Where a reader that got all batches so far can resume. */
    Document token() {
        return token(position);
    }

    /** The next batch; waits up to ``millis`` when there is none. */
    List<Document> next(int count, long millis) throws InterruptedException {
        List<Document> batch = new ArrayList<>();
        long end = journal.await(position, Math.min(millis, LONGEST_WAIT));
        while (batch.isEmpty() && position < end) {
            requireHistory();
            List<Map.Entry<Long, Event>> read = journal.read(position, end, count > 0 ? count : BATCH_COUNT, BATCH_BYTES);
            position = read.isEmpty() ? end : read.get(read.size() - 1).getKey();
            batch = stages.runStagesAsStream(read.stream()
                .filter(entry -> scope.test(entry.getValue()))
                .map(entry -> describe(entry.getKey(), entry.getValue())))
                .collect(Collectors.toList());
        }
        return batch;
    }

    private Document describe(long timestamp, Event event) {
        Document change = new Document("_id", token(timestamp))
            .append("operationType", event.operation())
            .append("clusterTime", new BsonTimestamp(timestamp))
            .append("wallTime", event.wall());
        boolean whole = !event.operation().equals("update")
            || !"default".equals(options.getOrDefault("fullDocument", "default"));
        if (event.after() != null && whole) {
            change.put("fullDocument", event.after());
        }
        change.append("ns", new Document("db", event.database()).append("coll", event.collection()))
            .append("documentKey", event.key());
        if (event.changes() != null) {
            change.put("updateDescription", event.changes());
        }
        if (!"off".equals(options.getOrDefault("fullDocumentBeforeChange", "off"))
            && !event.operation().equals("insert")) {
            change.put("fullDocumentBeforeChange", event.before());
        }
        return change;
    }

    @Override
    public long getId() {
        return id;
    }

    @Override
    public boolean isEmpty() {
        return false;
    }

    @Override
    public List<Document> takeDocuments(int count) {
        throw new UnsupportedOperationException("change streams are read by StandIn.getMore");
    }
}
