//! The server: connections, watches, and what a test asks afterwards.

use std::io::{self, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use serde_json::{Value, json};

use crate::api::{Api, Target, target};
use crate::http::{Request, Stream, read_request};

/// A running API server; it stops when it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    api: Mutex<Api>,
    requests: Mutex<Vec<String>>,
    changed: Condvar,
    stopped: AtomicBool,
}

impl Shared {
    fn api(&self) -> MutexGuard<'_, Api> {
        self.api.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Server {
    /// Starts an empty cluster of a Kubernetes version, such as `1.34`, on a free port of the loopback interface.
    ///
    /// # Errors
    /// No port can be opened.
    pub fn start(version: &str) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            api: Mutex::new(Api::new(version)),
            requests: Mutex::new(Vec::new()),
            changed: Condvar::new(),
            stopped: AtomicBool::new(false),
        });
        let inner = Arc::clone(&shared);
        thread::spawn(move || {
            for connection in listener.incoming() {
                if inner.stopped.load(Ordering::SeqCst) {
                    break;
                }
                let shared = Arc::clone(&inner);
                if let Ok(connection) = connection {
                    // A client that goes away in the middle is the client's business.
                    thread::spawn(move || serve(&shared, &connection).ok());
                }
            }
        });
        Ok(Self { address, shared })
    }

    /// Where it listens: `http://127.0.0.1:40123`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A client configuration whose only context, the current one, has the name.
    pub fn kubeconfig(&self, context: &str) -> String {
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": context,
            "clusters": [{"name": context, "cluster": {"server": self.url()}}],
            "users": [{"name": context, "user": {}}],
            "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
        })
        .to_string()
    }

    /// Every object there is, in the order of API version, resource, namespace and name.
    pub fn objects(&self) -> Vec<Value> {
        self.shared.api().store.objects().cloned().collect()
    }

    /// How many changes there have been: two equal numbers say that nothing has changed in between.
    pub fn revision(&self) -> u64 {
        self.shared.api().store.revision()
    }

    /// Every request so far: `PATCH /api/v1/namespaces/core`.
    pub fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        self.shared.changed.notify_all();
        // Wakes the listener up; if nobody listens any more, all the better.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(shared: &Shared, connection: &TcpStream) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut writing = connection.try_clone()?;
    let mut reading = BufReader::new(connection.try_clone()?);
    while let Some(request) = read_request(&mut reading)? {
        let line = format!("{} {}", request.method, request.path_text());
        shared.requests.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        if request.method == "GET"
            && ["true", "1"].contains(&request.parameter("watch"))
            && let Some(target) = target(&request.path)
        {
            watch(shared, &request, &target, &mut writing)?;
            continue;
        }
        let mut api = shared.api();
        let before = api.store.revision();
        let response = api.answer(&request);
        let changed = api.store.revision() != before;
        drop(api);
        if changed {
            shared.changed.notify_all();
        }
        response.send(&mut writing)?;
    }
    Ok(())
}

/// Sends what happens to the objects until the server stops or the client goes away.
fn watch(shared: &Shared, request: &Request, target: &Target, connection: &mut TcpStream) -> io::Result<()> {
    let mut stream = Stream::open(connection)?;
    let mut api = shared.api();
    let given = request.parameter("resourceVersion");
    let mut seen = given.parse().unwrap_or(api.store.revision());
    let initial = request.parameter("sendInitialEvents") == "true";
    if initial || given.is_empty() || given == "0" {
        seen = api.store.revision();
        for object in api.store.select(target, request) {
            stream.send(&json!({"type": "ADDED", "object": object}))?;
        }
    }
    if initial {
        stream.send(&json!({"type": "BOOKMARK", "object": {
            "apiVersion": target.resource.api_version, "kind": target.resource.kind,
            "metadata": {
                "resourceVersion": seen.to_string(), "annotations": {"k8s.io/initial-events-end": "true"},
            },
        }}))?;
    }
    while !shared.stopped.load(Ordering::SeqCst) {
        let events = api.store.events_after(seen, target, request);
        for event in &events {
            stream.send(&json!({"type": event.kind, "object": event.object}))?;
        }
        seen = api.store.revision();
        if events.is_empty() {
            api = shared.changed.wait(api).unwrap_or_else(PoisonError::into_inner);
        }
    }
    drop(api);
    stream.close()
}
