//! An authority that nobody knows, its certificates, and a proxy that leads every tunnel to one place.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

use cognito_import_simulator::TlsFiles;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;

/// Issues certificates.
pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: TempDir,
}

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("authority.pem"), issuer.pem()).unwrap();
        Self { issuer, directory }
    }

    /// What `AWS_CA_BUNDLE` names.
    pub(super) fn bundle(&self) -> PathBuf {
        self.directory.path().join("authority.pem")
    }

    /// A certificate for these hosts.
    pub(super) fn certificate(&self, hosts: &[&str]) -> TlsFiles {
        let path = |name: &str| Path::join(self.directory.path(), name);
        let files = TlsFiles { certificate: path("server.pem"), key: path("server.key") };
        let key = KeyPair::generate().unwrap();
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let certificate = CertificateParams::new(hosts).unwrap().signed_by(&key, &self.issuer).unwrap();
        std::fs::write(&files.certificate, certificate.pem()).unwrap();
        std::fs::write(&files.key, key.serialize_pem()).unwrap();
        files
    }
}

/// A proxy on this machine. Whatever host a tunnel is asked for, it leads to the place the proxy was made with.
pub(super) struct Proxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub(super) fn to(place: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self { address: listener.local_addr().unwrap(), asked: Arc::default() };
        let (asked, place) = (Arc::clone(&proxy.asked), place.to_owned());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (asked, place) = (Arc::clone(&asked), place.clone());
                thread::spawn(move || tunnel(client, &place, &asked));
            }
        });
        proxy
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The first line of every request so far.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// The hosts to which tunnels were asked for.
    pub(super) fn hosts(&self) -> Vec<String> {
        let host = |line: &String| line.split(' ').nth(1).unwrap().trim_end_matches(":443").to_owned();
        self.asked().iter().filter(|line| line.starts_with("CONNECT ")).map(host).collect()
    }
}

fn tunnel(client: TcpStream, place: &str, asked: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(client.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).unwrap_or(0) == 0 {
            return;
        }
    }
    asked.lock().unwrap().push(head.lines().next().unwrap().to_owned());
    let Ok(server) = TcpStream::connect(place) else { return };
    let mut way_back = client.try_clone().unwrap();
    if way_back.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").is_err() {
        return;
    }
    let from_server = server.try_clone().unwrap();
    thread::spawn(move || copy(from_server, way_back));
    copy(reader, server);
}

fn copy(mut from: impl Read, mut to: TcpStream) {
    // Whoever closes first ends it for both.
    drop(std::io::copy(&mut from, &mut to));
    drop(to.shutdown(Shutdown::Both));
}
