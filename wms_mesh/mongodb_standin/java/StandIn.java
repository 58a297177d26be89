package mesh.standin;

import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.backend.AbstractMongoBackend;
import de.bwaldvogel.mongo.backend.Cursor;
import de.bwaldvogel.mongo.backend.Utils;
import de.bwaldvogel.mongo.backend.aggregation.Aggregation;
import de.bwaldvogel.mongo.bson.BsonTimestamp;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.MongoServerError;
import de.bwaldvogel.mongo.exception.MongoServerException;
import de.bwaldvogel.mongo.oplog.NoopOplog;
import de.bwaldvogel.mongo.wire.message.MongoMessage;
import io.netty.channel.Channel;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.h2.mvstore.MVStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The commands that a replica set answers and the library does not, and one commit for each writing command. */
final class StandIn extends AbstractMongoBackend {

    static final int THREADS = 256;

    private static final Logger LOG = LoggerFactory.getLogger(StandIn.class);
    /** For tests: every change up to now falls out of the journal, as after a standstill that was too long. */
    private static final String FORGET = "forgetjournal";
    private static final Set<String> WRITES = Set.of(FORGET, "insert", "update", "delete", "findandmodify", "create",
        "createindexes", "collmod", "drop", "dropindexes", "dropdatabase", "renamecollection");
    private static final int COMMITS_BETWEEN_COMPACTIONS = 50;
    private static final String IMAGES = "changeStreamPreAndPostImages";

    private final MVStore store;
    private final Journal journal;
    private final Retries retries;
    private final String address;
    private final ReentrantLock writing = new ReentrantLock();
    private int commits;

    StandIn(MVStore store, String address) {
        this.store = store;
        this.address = address;
        this.journal = new Journal(store);
        this.retries = new Retries(store);
        version(Version.LATEST);
        StoredDatabase.names(store).forEach(this::resolveDatabase);
    }

    @Override
    protected MongoDatabase openOrCreateDatabase(String name) {
        return new StoredDatabase(name, store, journal, getCursorRegistry());
    }

    @Override
    public Document handleMessage(MongoMessage message) {
        try {
            return super.handleMessage(message);
        } catch (MongoServerException refused) {
            LOG.warn("{} refused: {}", message.getDocument().keySet().iterator().next(), refused.getMessage());
            throw refused;
        } catch (RuntimeException defect) {
            LOG.error("{} failed", message.getDocument().keySet().iterator().next(), defect);
            throw defect;
        }
    }

    @Override
    public Document handleCommand(Channel channel, String database, String name, Document command) {
        if (command.containsKey("startTransaction") || command.containsKey("autocommit")) {
            throw new MongoServerError(20, "IllegalOperation", "The MongoDB stand-in has no transactions.");
        }
        String verb = name.toLowerCase(Locale.ROOT);
        Document answer = WRITES.contains(verb) || writesResult(command)
            ? write(channel, database, name, command)
            : readStable(channel, database, name, command);
        answer.putIfAbsent("operationTime", journal.time());
        return answer;
    }

    /** Keeps the pages that this command reads from being reused by the commits of others. */
    private Document readStable(Channel channel, String database, String name, Document command) {
        MVStore.TxCounter version = store.registerVersionUsage();
        try {
            return read(channel, database, name, command);
        } finally {
            store.deregisterVersionUsage(version);
        }
    }

    private Document read(Channel channel, String database, String name, Document command) {
        switch (name.toLowerCase(Locale.ROOT)) {
            case "hello":
            case "ismaster":
                return hello(super.handleCommand(channel, database, "ismaster", command));
            case "listdatabases":
                return listDatabases(channel);
            case "listcollections":
                return page(listCollections(channel, database, command), 0);
            case "aggregate":
                Document options = changeStream(command);
                return options != null
                    ? openChangeStream(database, command, options)
                    : page(super.handleCommand(channel, database, name, command), batchSize((Document) command.get("cursor")));
            case "find":
                int batchSize = batchSize(command);
                Scan scan = scan(database, command);
                if (scan != null) {
                    return firstBatch(scan, database + "." + command.get("find"), batchSize);
                }
                command.remove("batchSize"); // the library would cut by count alone: take all from it, page here
                return page(super.handleCommand(channel, database, name, command), batchSize);
            default:
                return super.handleCommand(channel, database, name, command);
        }
    }

    private Document write(Channel channel, String database, String name, Document command) {
        writing.lock();
        try {
            Document answer = retries.answer(command);
            if (answer == null) {
                answer = execute(channel, database, name, command);
                retries.remember(command, answer);
            }
            return answer;
        } finally {
            commit();
            writing.unlock();
        }
    }

    private Document execute(Channel channel, String database, String name, Document command) {
        Document images = (Document) command.get(IMAGES);
        Document answer;
        if (name.equalsIgnoreCase("collMod") || name.equalsIgnoreCase(FORGET)) {
            answer = new Document();
            Utils.markOkay(answer);
            if (name.equalsIgnoreCase(FORGET)) {
                journal.forget(0);
            }
        } else {
            answer = super.handleCommand(channel, database, name, command);
        }
        if (images != null) {
            journal.keepImages(database + "." + command.get(name), Utils.isTrue(images.get("enabled")));
        }
        if (name.equals("insert") && answer.get("writeErrors") != null) {
            answer.put("n", inserted(command, (List<?>) answer.get("writeErrors")));
        }
        return answer;
    }

    /** The library counts refused documents as inserted. */
    private static int inserted(Document command, List<?> errors) {
        return Utils.isTrue(command.get("ordered"))
            ? (Integer) ((Document) errors.get(0)).get("index")
            : ((List<?>) command.get("documents")).size() - errors.size();
    }

    /** One commit per command: what was acknowledged survives a kill, documents and journal together. */
    private void commit() {
        store.commit();
        journal.publish();
        if (++commits % COMMITS_BETWEEN_COMPACTIONS == 0) {
            store.compact(60, 8 << 20);
        }
    }

    @Override
    public void close() {
        writing.lock();
        try {
            super.close();
            store.close();
        } finally {
            writing.unlock();
        }
    }

    private Document hello(Document answer) {
        BsonTimestamp time = journal.time();
        Document written = new Document("opTime", new Document("ts", time).append("t", 1L))
            .append("lastWriteDate", Instant.ofEpochSecond(time.getTime()));
        return answer.append("helloOk", true)
            .append("isWritablePrimary", true)
            .append("secondary", false)
            .append("setName", "rs0")
            .append("setVersion", 1)
            .append("hosts", List.of(address))
            .append("me", address)
            .append("primary", address)
            .append("lastWrite", written)
            .append("logicalSessionTimeoutMinutes", 30)
            .append("readOnly", false);
    }

    private Document listDatabases(Channel channel) {
        List<Document> databases = listDatabaseNames().stream()
            .sorted()
            // Asking for a database creates it here; MongoDB lists it when it has a collection.
            .filter(name -> !documents((Document) listCollections(channel, name, new Document("listCollections", 1))
                .get("cursor")).isEmpty())
            .map(name -> new Document("name", name).append("sizeOnDisk", 0L).append("empty", false))
            .collect(Collectors.toList());
        Document answer = new Document("databases", databases).append("totalSize", store.getFileStore().size());
        Utils.markOkay(answer);
        return answer;
    }

    /** Asked of the database itself: the library has no collections in ``admin``. */
    private Document listCollections(Channel channel, String database, Document command) {
        Document answer = resolveDatabase(database)
            .handleCommand(channel, "listCollections", command, this::resolveDatabase, NoopOplog.get());
        Object wanted = ((Document) command.getOrDefault("filter", new Document())).get("name");
        Document cursor = (Document) answer.get("cursor");
        List<Document> collections = documents(cursor).stream()
            .filter(collection -> !(wanted instanceof String) || wanted.equals(collection.get("name")))
            .map(collection -> journal.keepsImages(database + "." + collection.get("name"))
                ? collection.append("options", new Document(IMAGES, new Document("enabled", true)))
                : collection)
            .collect(Collectors.toList());
        cursor.put("firstBatch", collections);
        return answer;
    }

    private Document openChangeStream(String database, Document command, Document options) {
        List<Document> pipeline = pipeline(command).stream()
            .skip(1)
            .filter(stage -> !stage.containsKey("$changeStreamSplitLargeEvent")) // nothing is split: a batch may exceed 16 MB
            .collect(Collectors.toList());
        Aggregation stages = Aggregation.fromPipeline(pipeline, this::resolveDatabase, resolveDatabase(database), null,
            NoopOplog.get());
        Object collection = command.get("aggregate");
        Predicate<Event> scope = Utils.isTrue(options.get("allChangesForCluster"))
            ? event -> true
            : event -> event.database().equals(database)
                && (!(collection instanceof String) || collection.equals(event.collection()));
        ChangeStream stream = new ChangeStream(getCursorRegistry().generateCursorId(), journal, options, scope, stages);
        getCursorRegistry().add(stream);
        String namespace = database + "." + (collection instanceof String ? collection : "$cmd.aggregate");
        return changes(stream, namespace, "firstBatch", batchSize((Document) command.get("cursor")), 0);
    }

    private static Document changes(ChangeStream stream, String namespace, String field, int count, long millis) {
        try {
            List<Document> batch = stream.next(count, millis);
            return cursor(stream.getId(), namespace, field, batch, stream.token());
        } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
            throw new MongoServerError(11601, "Interrupted", "The MongoDB stand-in is stopping.");
        }
    }

    @Override
    protected Document handleGetMore(String database, String name, Document command) {
        Cursor cursor = getCursorRegistry().getCursor(((Number) command.get(name)).longValue());
        String namespace = database + "." + command.get("collection");
        if (cursor instanceof ChangeStream) {
            long millis = ((Number) command.getOrDefault("maxTimeMS", 1000)).longValue();
            return changes((ChangeStream) cursor, namespace, "nextBatch", batchSize(command), millis);
        }
        List<Document> batch = cursor.takeDocuments(batchSize(command));
        if (cursor.isEmpty()) {
            getCursorRegistry().remove(cursor);
        }
        return cursor(cursor.isEmpty() ? 0 : cursor.getId(), namespace, "nextBatch", batch, null);
    }

    private Document page(Document answer, int batchSize) {
        Document cursor = (Document) answer.get("cursor");
        Pages pages = new Pages(getCursorRegistry().generateCursorId(), documents(cursor));
        return firstBatch(pages, (String) cursor.get("ns"), batchSize);
    }

    private Document firstBatch(Cursor results, String namespace, int batchSize) {
        List<Document> batch = results.takeDocuments(batchSize);
        if (!results.isEmpty()) {
            getCursorRegistry().add(results);
        }
        return cursor(results.isEmpty() ? 0 : results.getId(), namespace, "firstBatch", batch, null);
    }

    /** The batch-wise reader of an unsorted find that no index answers, else null. */
    private Scan scan(String database, Document command) {
        Object collection = resolveDatabase(database).resolveCollection((String) command.get("find"), false);
        Document filter = (Document) command.getOrDefault("filter", new Document());
        boolean sorted = !((Document) command.getOrDefault("sort", new Document())).isEmpty();
        return collection instanceof StoredCollection && !sorted && !((StoredCollection) collection).hasIndexFor(filter)
            ? new Scan(getCursorRegistry().generateCursorId(), (StoredCollection) collection, command)
            : null;
    }

    private static Document cursor(long id, String namespace, String field, List<Document> batch, Document resumeToken) {
        Document cursor = new Document("id", id).append("ns", namespace).append(field, batch);
        cursor.putIfNotNull("postBatchResumeToken", resumeToken);
        Document answer = new Document("cursor", cursor);
        Utils.markOkay(answer);
        return answer;
    }

    private static int batchSize(Document options) {
        return options == null ? 0 : ((Number) options.getOrDefault("batchSize", 0)).intValue();
    }

    @SuppressWarnings("unchecked")
    private static List<Document> documents(Document cursor) {
        return (List<Document>) cursor.get("firstBatch");
    }

    @SuppressWarnings("unchecked")
    private static List<Document> pipeline(Document command) {
        return (List<Document>) command.getOrDefault("pipeline", List.of());
    }

    private static Document changeStream(Document command) {
        List<Document> pipeline = pipeline(command);
        return pipeline.isEmpty() ? null : (Document) pipeline.get(0).get("$changeStream");
    }

    private static boolean writesResult(Document command) {
        return command.containsKey("aggregate")
            && pipeline(command).stream().anyMatch(stage -> stage.containsKey("$out") || stage.containsKey("$merge"));
    }
}
