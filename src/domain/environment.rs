//! How one environment is reached at the platform.

/// What a client needs to act in an environment. The secret is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentAccess {
    /// Our id of the environment.
    pub id: String,
    /// Adobe organization, the value of `x-gw-ims-org-id`.
    pub organization: String,
    /// Sandbox, the value of `x-sandbox-name`.
    pub sandbox: String,
    /// API key of the credential.
    pub client_id: String,
    /// Its client secret, sealed by the vault for this environment.
    pub client_secret_sealed: String,
    /// Scopes that the credential was given, separated by commas.
    pub scopes: String,
    /// Changes whenever any of the above does (UTC epoch milliseconds).
    pub updated_at: i64,
}
