package mesh.standin;

import de.bwaldvogel.mongo.bson.Document;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** The updateDescription of an update: dotted paths for changed fields of embedded documents; an array counts as one field. */
final class Difference {

    private final Document updated = new Document();
    private final List<String> removed = new ArrayList<>();

    private Difference() {
    }

    static Document between(Document before, Document after) {
        Difference difference = new Difference();
        difference.compare("", before, after);
        return new Document("updatedFields", difference.updated)
            .append("removedFields", difference.removed)
            .append("truncatedArrays", List.of());
    }

    private void compare(String prefix, Document before, Document after) {
        for (String field : after.keySet()) {
            Object was = before.getOrMissing(field);
            Object is = after.get(field);
            if (was instanceof Document && is instanceof Document) {
                compare(prefix + field + ".", (Document) was, (Document) is);
            } else if (!Objects.equals(was, is)) {
                updated.put(prefix + field, is);
            }
        }
        for (String field : before.keySet()) {
            if (!after.containsKey(field)) {
                removed.add(prefix + field);
            }
        }
    }
}
