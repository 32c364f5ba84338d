//! TLS 1.3, and 1.2 with ephemeral keys and AES-GCM (RFC 9325 section 4.2), with files that can be reloaded.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use chancery_types::Timestamp;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{CipherSuite, ServerConfig};
use tokio_rustls::TlsAcceptor;

use super::client_certificate::AnyCertificate;
use super::own_certificate;

/// The certificate of new connections; open ones keep theirs.
pub(crate) struct Certificate {
    chain: PathBuf,
    key: PathBuf,
    current: ArcSwap<Current>,
}

/// Whether the handshake asks the client for a certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum AsksClients {
    No,
    Yes,
}

struct Current {
    asking: Arc<ServerConfig>,
    not_asking: Arc<ServerConfig>,
    ends: Option<Timestamp>,
}

impl Certificate {
    /// Reads the certificate chain (the server's own first) and its private key, both PEM. One that clients do not
    /// accept `now` is invalid.
    pub(crate) fn read(chain: &Path, key: &Path, now: Timestamp) -> Result<Self, String> {
        let current = ArcSwap::from_pointee(Current::read(chain, key, now)?);
        Ok(Self { chain: chain.into(), key: key.into(), current })
    }

    /// Reads both files again. If they are invalid, the old certificate stays.
    pub(crate) fn reload(&self, now: Timestamp) -> Result<(), String> {
        self.current.store(Arc::new(Current::read(&self.chain, &self.key, now)?));
        Ok(())
    }

    /// When it ends; `None` for a time that cannot be expressed.
    pub(crate) fn ends(&self) -> Option<Timestamp> {
        self.current.load().ends
    }

    /// The file that it came from.
    pub(crate) fn path(&self) -> &Path {
        &self.chain
    }

    pub(crate) fn acceptor(&self, asks: AsksClients) -> TlsAcceptor {
        let current = self.current.load();
        TlsAcceptor::from(match asks {
            AsksClients::Yes => Arc::clone(&current.asking),
            AsksClients::No => Arc::clone(&current.not_asking),
        })
    }
}

impl Current {
    fn read(chain: &Path, key: &Path, now: Timestamp) -> Result<Self, String> {
        let certificates = own_certificate::chain(chain, now)?;
        let (private, ends) = (own_certificate::key(key)?, own_certificate::end(&certificates));
        let config = |asks| {
            let config = server_config(certificates.clone(), private.clone_key(), asks);
            config.map(Arc::new).map_err(|what| format!("tls.key: {}: {what}", key.display()))
        };
        Ok(Self { asking: config(AsksClients::Yes)?, not_asking: config(AsksClients::No)?, ends })
    }
}

fn server_config(
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    asks: AsksClients,
) -> Result<ServerConfig, String> {
    // The provider is named, because rustls cannot choose by itself if a dependency enables a second one.
    let provider = Arc::new(provider());
    provider.key_provider.load_private_key(key.clone_key()).map_err(|_| KINDS_OF_KEYS)?;
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| error.to_string())?;
    let config = match asks {
        AsksClients::No => config.with_no_client_auth(),
        AsksClients::Yes => config.with_client_cert_verifier(Arc::new(AnyCertificate(provider))),
    };
    let mut config = config.with_single_cert(certificates, key).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            "it is not the key of the first certificate of tls.certificate: name the key for which that was issued, and put the \
             server's own certificate before those of the authorities"
                .to_owned()
        }
        other => other.to_string(),
    })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

const KINDS_OF_KEYS: &str = "is no key that can be used for TLS here: it must be one for RSA with 2048 to 8192 bits, for P-256, P-384 or \
                             P-521, or for Ed25519";

/// Of TLS 1.2 the cipher suites that RFC 9325 section 4.2 recommends: ephemeral keys and AES-GCM. FAPI 1.0 part 2
/// section 8.5 and FAPI 2.0 Security Profile section 5.2.2 permit no others. TLS 1.3 has good ones only.
fn provider() -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites.retain(|suite| {
        let is_gcm = matches!(
            suite.suite(),
            CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
                | CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
                | CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
                | CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
        );
        suite.tls13().is_some() || is_gcm
    });
    provider
}
