//! The closed set of problems the wire can see.

use jobengine_impact::document::DocumentCode;

/// Declares the codes with their status and title.
macro_rules! codes {
    ($($(#[$meta:meta])* $name:ident = $code:literal, $status:literal, $title:literal;)+) => {
        /// A problem's stable code. A code is never renamed and never given another meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[$meta])* $name,)+
            /// A document that cannot be taken, by the document's own code.
            Document(DocumentCode),
        }

        impl Code {
            /// Every code of the service itself; those of documents stand in [`DocumentCode::ALL`].
            pub const OWN: &'static [Self] = &[$(Self::$name),+];

            /// The wire spelling.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                    Self::Document(code) => code.as_str(),
                }
            }

            /// The HTTP status it comes with.
            pub const fn status(self) -> u16 {
                match self {
                    $(Self::$name => $status,)+
                    Self::Document(_) => 422,
                }
            }

            /// One line for people, the same for every occurrence.
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$name => $title,)+
                    Self::Document(_) => "The document cannot be taken",
                }
            }
        }
    };
}

codes! {
    /// Not JSON, or JSON that two readers could understand differently.
    JsonMalformed = "JSON_MALFORMED", 400, "The body is not JSON as we take it";
    /// A parameter of path or query cannot be read.
    ParameterInvalid = "PARAMETER_INVALID", 400, "A parameter of the URL cannot be read";
    /// A continuation token that is not ours, or of another list.
    PageTokenInvalid = "PAGE_TOKEN_INVALID", 400, "The continuation token is not one of this list";
    /// An operation that has to be repeatable was asked for without a key.
    IdempotencyKeyMissing = "IDEMPOTENCY_KEY_MISSING", 400, "The operation needs an Idempotency-Key";
    /// A key that cannot be one.
    IdempotencyKeyInvalid = "IDEMPOTENCY_KEY_INVALID", 400, "The Idempotency-Key cannot be read";
    /// A header cannot be read.
    HeaderInvalid = "HEADER_INVALID", 400, "A header of the request cannot be read";
    /// No token, or one that is not valid. Never says why.
    Unauthenticated = "UNAUTHENTICATED", 401, "A valid bearer token is needed";
    /// A proof of possession is good, but lacks a nonce of ours.
    DpopNonceRequired = "DPOP_NONCE_REQUIRED", 401, "The proof needs a nonce of this service";
    /// The token lacks the operation's scope.
    ScopeMissing = "SCOPE_MISSING", 403, "The token does not allow this operation";
    /// The tenant header names another tenant than the token.
    TenantMismatch = "TENANT_MISMATCH", 403, "The tenant header is not the token's tenant";
    /// The project header names another project than the token, or the operation is not for one project.
    ProjectMismatch = "PROJECT_MISMATCH", 403, "The request is not for the token's project";
    /// The token's tenant is suspended.
    TenantSuspended = "TENANT_SUSPENDED", 403, "The token's tenant is suspended";
    /// Only a token of the installation's own tenant may do this.
    InstallationOnly = "INSTALLATION_ONLY", 403, "Only the installation's own tenant may do this";
    /// A page of another origin wants a connection that a browser would open for anybody.
    OriginRefused = "ORIGIN_REFUSED", 403, "The page's origin is not the service's";
    /// Nothing of that name for this tenant.
    NotFound = "NOT_FOUND", 404, "There is no such thing";
    /// The path exists, the method does not.
    MethodNotAllowed = "METHOD_NOT_ALLOWED", 405, "The path does not take this method";
    /// The request's body came too slowly.
    RequestTimeout = "REQUEST_TIMEOUT", 408, "The request did not arrive in time";
    /// Somebody else changed what the request is about.
    Conflict = "CONFLICT", 409, "Something changed meanwhile";
    /// The same request is under way.
    IdempotencyInProgress = "IDEMPOTENCY_IN_PROGRESS", 409, "The same request is under way";
    /// Nothing is sent to a webhook that is paused.
    WebhookPaused = "WEBHOOK_PAUSED", 409, "The webhook is paused";
    /// The tenant has as many webhooks as it may.
    WebhookLimit = "WEBHOOK_LIMIT", 409, "The tenant has as many webhooks as it may";
    /// The delivery is on its way anyway.
    DeliveryPending = "DELIVERY_PENDING", 409, "The delivery is on its way";
    /// The attempt is no longer the worker's: nothing it says counts.
    LeaseLost = "LEASE_LOST", 409, "The lease was lost";
    /// The attempt ended with another report under the same lease.
    ReportConflict = "REPORT_CONFLICT", 409, "The attempt ended with another report";
    /// Another principal opened the worker session.
    SessionTaken = "SESSION_TAKEN", 409, "The worker session belongs to somebody else";
    /// Another object of this kind has the name.
    NameTaken = "NAME_TAKEN", 409, "The name is taken";
    /// The source is paused: nothing is taken for it.
    SourcePaused = "SOURCE_PAUSED", 409, "The source is paused";
    /// The source is disabled: nothing is taken for it.
    SourceDisabled = "SOURCE_DISABLED", 409, "The source is disabled";
    /// Something depends on the source.
    SourceInUse = "SOURCE_IN_USE", 409, "The source is in use";
    /// Jobs or runs belong to the project.
    ProjectInUse = "PROJECT_IN_USE", 409, "The project is in use";
    /// The dead letter was replayed or discarded before.
    DeadLetterDecided = "DEAD_LETTER_DECIDED", 409, "The dead letter was decided before";
    /// The object is another version than `If-Match` names.
    PreconditionFailed = "PRECONDITION_FAILED", 412, "Another version stands";
    /// What passes the filter is not what was previewed.
    PlanChanged = "PLAN_CHANGED", 409, "Other things pass the filter by now";
    /// A reader was away for longer than events are kept.
    EventCursorExpired = "EVENT_CURSOR_EXPIRED", 410, "The cursor has expired";
    /// The body is larger than the operation takes.
    BodyTooLarge = "BODY_TOO_LARGE", 413, "The body is too large";
    /// The URL is longer than we take.
    UrlTooLong = "URL_TOO_LONG", 414, "The URL is too long";
    /// The body is of a type the operation does not take.
    MediaTypeUnsupported = "MEDIA_TYPE_UNSUPPORTED", 415, "The body's type is not supported";
    /// A field is unknown, missing or out of bounds.
    RequestInvalid = "REQUEST_INVALID", 422, "The request is not valid";
    /// The key was used for another request.
    IdempotencyKeyReused = "IDEMPOTENCY_KEY_REUSED", 422, "The Idempotency-Key was used for another request";
    /// What the caller does has to be justified.
    ReasonRequired = "REASON_REQUIRED", 422, "The operation needs a reason";
    /// What the caller does has to be justified, with a ticket.
    TicketRequired = "TICKET_REQUIRED", 422, "The operation needs a ticket";
    /// The jobs of a run do not form a DAG.
    DagInvalid = "DAG_INVALID", 422, "The jobs do not form a DAG";
    /// The egress policy denies the URL of a webhook.
    WebhookUrlDenied = "WEBHOOK_URL_DENIED", 422, "The URL is not one that webhooks reach";
    /// An SBOM that nobody says the image of.
    ImageDigestMissing = "IMAGE_DIGEST_MISSING", 422, "The SBOM does not say which image it describes";
    /// A pack is run for a project of a tenant, and both must be said.
    PackRunUnscoped = "PACK_RUN_UNSCOPED", 422, "The pack run says no project or tenant";
    /// The change does not say which version it is meant for.
    PreconditionRequired = "PRECONDITION_REQUIRED", 428, "If-Match is needed";
    /// More than 100,000 things pass the filter of a bulk action.
    BulkTooLarge = "BULK_TOO_LARGE", 422, "Too many things pass the filter";
    /// Too many requests of a kind.
    RateLimited = "RATE_LIMITED", 429, "Too many requests";
    /// Too many streams are open.
    StreamLimitReached = "STREAM_LIMIT_REACHED", 429, "Too many streams are open";
    /// A bug of ours.
    Internal = "INTERNAL", 500, "Something went wrong on our side";
    /// More work than we take at once.
    Overloaded = "OVERLOADED", 503, "The service is busy";
    /// The keys of a token's issuer cannot be had.
    KeysUnavailable = "KEYS_UNAVAILABLE", 503, "The issuer's keys are not available";
    /// PostgreSQL cannot be reached.
    DatabaseUnavailable = "DATABASE_UNAVAILABLE", 503, "The database is not available";
}

impl Code {
    /// The name of its page under `/problems/`: the code in lower case.
    pub fn page(self) -> String {
        self.as_str().to_lowercase().replace('_', "-")
    }
}
