//! `terraform-provider-aws-stand-in`: what Terraform starts from a mirror when it asks for the AWS provider.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use base64::Engine as _;
use stand_in_aws_provider::{provider::Provider, service::Plugin, store::Store};
use tokio::sync::Notify;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Identity, Server, ServerTlsConfig};

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "terraform-provider-aws-stand-in: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<(), Box<dyn std::error::Error>> {
    let key = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let certificate = base64::engine::general_purpose::STANDARD_NO_PAD.encode(key.cert.der());
    let identity = Identity::from_pem(key.cert.pem(), key.signing_key.serialize_pem());
    let shutdown = Arc::new(Notify::new());
    let plugin = Plugin::new(Provider::new(store()), Arc::clone(&shutdown));
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async move {
        let incoming = TcpIncoming::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let address = incoming.local_addr()?;
        let server = Server::builder().tls_config(ServerTlsConfig::new().identity(identity))?;
        // Protocol of the handshake, protocol of the plugin, where it listens, how it speaks, whom to trust.
        let mut out = std::io::stdout();
        writeln!(out, "1|6|tcp|{address}|grpc|{certificate}")?;
        out.flush()?;
        tokio::select! {
            served = server.serve_with_incoming(plugin, incoming) => served?,
            // Terraform is done, and waits for nothing but the end of this process.
            () = shutdown.notified() => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
        }
        Ok(())
    })
}

/// What stands for the cloud: a directory that outlives this process, if the test named one.
#[expect(clippy::disallowed_methods, reason = "the binary is where the process's surroundings are read")]
fn store() -> Store {
    Store::new(std::env::var_os("AWS_STAND_IN_STORE").map(PathBuf::from))
}
