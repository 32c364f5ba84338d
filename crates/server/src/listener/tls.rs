//! TLS 1.3, and 1.2 with ephemeral keys and AES-GCM (RFC 9325 section 4.2), with files that can be reloaded.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{CipherSuite, ServerConfig};
use tokio_rustls::TlsAcceptor;

use super::client_certificate::AnyCertificate;
use crate::access::Access;

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
}

impl Certificate {
    /// Reads the certificate chain (the server's own first) and its private key, both PEM.
    pub(crate) fn read(chain: &Path, key: &Path) -> Result<Self, String> {
        let current = ArcSwap::from_pointee(Current::read(chain, key)?);
        Ok(Self { chain: chain.into(), key: key.into(), current })
    }

    /// Reads both files again. If they are invalid, the old certificate stays.
    pub(crate) fn reload(&self) -> Result<(), String> {
        self.current.store(Arc::new(Current::read(&self.chain, &self.key)?));
        Ok(())
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
    fn read(chain: &Path, key: &Path) -> Result<Self, String> {
        let config = |asks| server_config(chain, key, asks).map(Arc::new);
        Ok(Self { asking: config(AsksClients::Yes)?, not_asking: config(AsksClients::No)? })
    }
}

fn server_config(chain: &Path, key: &Path, asks: AsksClients) -> Result<ServerConfig, String> {
    let in_chain = |error: &dyn std::fmt::Display| format!("tls.certificate: {}: {error}", chain.display());
    let in_key = |error: &dyn std::fmt::Display| format!("tls.key: {}: {error}", key.display());
    let certificates = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| in_chain(&error))?;
    if certificates.is_empty() {
        return Err(in_chain(&"the file contains no certificate"));
    }
    let mut file = std::fs::File::open(key).map_err(|error| in_key(&error))?;
    let metadata = file.metadata().map_err(|error| in_key(&error))?;
    Access::of(&metadata).check_key().map_err(|what| in_key(&what))?;
    let key_of = PrivateKeyDer::from_pem_reader(&mut file).map_err(|error| in_key(&error))?;
    // The provider is named, because rustls cannot choose by itself if a dependency enables a second one.
    let provider = Arc::new(provider());
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| error.to_string())?;
    let config = match asks {
        AsksClients::No => config.with_no_client_auth(),
        AsksClients::Yes => config.with_client_cert_verifier(Arc::new(AnyCertificate(provider))),
    };
    let mut config = config.with_single_cert(certificates, key_of).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            in_key(&"it is not the key of the first certificate of tls.certificate")
        }
        other => in_key(&other),
    })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

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
