package wms.bronze;

/** Why a record is not what its topic promises: a short stable code, and what exactly was found. */
final class Rejected extends Exception {
    final String reason;

    Rejected(String reason, String detail) {
        super(detail, null, false, false); // no stack trace: it costs 50 times the parse, and nobody reads it
        this.reason = reason;
    }
}
