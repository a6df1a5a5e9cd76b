//! The error types that AWS services answer with, and what each is about.
//!
//! A table for [`super::classify`], and nothing else: which word means what. Sources: the service model of
//! cognito-idp, "Common Errors" of the API reference, and the throttling list of the SDK's own retry policy.

/// What an error type is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// The quota.
    Throttle,
    /// The service itself.
    ServiceFault,
    /// The pool or the job: there is none.
    Missing,
    /// The question is wrong.
    WrongQuestion,
    /// The operation: whoever answers has none of this name.
    WrongPlace,
    /// The pool is a replica that does not answer this question.
    ReplicaRegion,
    /// A policy of IAM, or of an organization.
    Policy,
    /// The session token: over.
    Expired,
    /// The access key: not one the service knows.
    UnknownKey,
    /// The signature: wrong secret, or the clock.
    Signature,
    /// The time in the request.
    Clock,
    /// The signing: something else.
    Signing,
    /// The account has no access to the service or the region.
    NotSubscribed,
}

/// What an error type is about; `None` for one this program does not know.
pub(super) fn subject(code: &str) -> Option<Subject> {
    Some(match code {
        "TooManyRequestsException"
        | "ThrottlingException"
        | "Throttling"
        | "ThrottledException"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "SlowDown"
        | "BandwidthLimitExceeded" => Subject::Throttle,
        "InternalErrorException"
        | "InternalFailure"
        | "InternalServerError"
        | "InternalServerException"
        | "ServiceUnavailable"
        | "ServiceUnavailableException"
        | "RequestTimeout"
        | "RequestTimeoutException" => Subject::ServiceFault,
        "ResourceNotFoundException" => Subject::Missing,
        "InvalidParameterException" | "ValidationException" | "ValidationError" | "SerializationException" => {
            Subject::WrongQuestion
        }
        "UnknownOperationException" | "InvalidAction" => Subject::WrongPlace,
        "OperationNotEnabledException" => Subject::ReplicaRegion,
        "AccessDeniedException"
        | "AccessDenied"
        | "NotAuthorizedException"
        | "NotAuthorized"
        | "UnauthorizedOperation"
        | "ForbiddenException" => Subject::Policy,
        "ExpiredTokenException" | "ExpiredToken" => Subject::Expired,
        "UnrecognizedClientException" | "InvalidClientTokenId" | "InvalidAccessKeyId" => Subject::UnknownKey,
        "InvalidSignatureException" | "InvalidSignature" | "SignatureDoesNotMatch" | "AuthFailure" => {
            Subject::Signature
        }
        "RequestExpired" | "RequestTimeTooSkewed" => Subject::Clock,
        "IncompleteSignature"
        | "IncompleteSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException" => Subject::Signing,
        "OptInRequired" | "SubscriptionRequiredException" => Subject::NotSubscribed,
        _ => return None,
    })
}
