package mesh.standin;

import de.bwaldvogel.mongo.MongoVersion;
import java.util.List;

/** What drivers are told: the library's own newest version is below what they accept today. */
enum Version implements MongoVersion {
    LATEST;

    @Override
    public List<Integer> getVersionArray() {
        return List.of(7, 0, 0);
    }

    @Override
    public int getWireVersion() {
        return 21;
    }
}
