//! The plugin's two gRPC services, `Provider` and `GRPCController`, routed by path: fewer lines than the code that a
//! `.proto` file would be compiled to, and no compiler of such files.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;

use prost::Message;
use tokio::sync::Notify;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Context, Poll, Service};
use tonic::server::{Grpc, UnaryService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use crate::messages::Empty;
use crate::provider::Provider;
use crate::schema;

/// Both services of one process.
#[derive(Clone)]
pub struct Plugin {
    provider: Arc<Provider>,
    shutdown: Arc<Notify>,
}

impl Plugin {
    /// Serves a provider; `shutdown` is told when Terraform is done.
    pub fn new(provider: Provider, shutdown: Arc<Notify>) -> Self {
        Self { provider: Arc::new(provider), shutdown }
    }
}

impl Service<http::Request<Body>> for Plugin {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let provider = Arc::clone(&self.provider);
        let path = request.uri().path().to_owned();
        match path.as_str() {
            "/plugin.GRPCController/Shutdown" => {
                let shutdown = Arc::clone(&self.shutdown);
                answer(request, move |_: Empty| {
                    shutdown.notify_one();
                    Empty {}
                })
            }
            "/tfplugin6.Provider/GetProviderSchema" => answer(request, |_: Empty| schema::whole()),
            "/tfplugin6.Provider/ValidateProviderConfig" => {
                answer(request, move |m| provider.validate_provider(&m))
            }
            "/tfplugin6.Provider/ConfigureProvider" => answer(request, move |m| provider.configure(&m)),
            "/tfplugin6.Provider/ValidateResourceConfig" => {
                answer(request, move |m| provider.validate_resource(&m))
            }
            "/tfplugin6.Provider/ValidateDataResourceConfig" => {
                answer(request, move |m| provider.validate_data(&m))
            }
            "/tfplugin6.Provider/UpgradeResourceState" => answer(request, move |m| provider.upgrade(&m)),
            "/tfplugin6.Provider/ReadResource" => answer(request, move |m| provider.read(&m)),
            "/tfplugin6.Provider/PlanResourceChange" => answer(request, move |m| provider.plan(&m)),
            "/tfplugin6.Provider/ApplyResourceChange" => answer(request, move |m| provider.apply(&m)),
            "/tfplugin6.Provider/ReadDataSource" => answer(request, move |m| provider.read_data(&m)),
            // Its answer is an error text, empty for none.
            "/tfplugin6.Provider/StopProvider" => answer(request, |_: Empty| Empty {}),
            // Terraform asks for more than it needs, and takes this for "there is none".
            _ => Box::pin(ready(Ok(Status::unimplemented(path).into_http()))),
        }
    }
}

/// Answers one call by a function.
fn answer<Q, A>(
    request: http::Request<Body>,
    function: impl Fn(Q) -> A + Send + Sync + 'static,
) -> BoxFuture<http::Response<Body>, Infallible>
where
    Q: Message + Default + 'static,
    A: Message + Default + 'static,
{
    Box::pin(async move {
        // The whole schema is far above the default limit.
        let mut grpc = Grpc::new(ProstCodec::<A, Q>::default())
            .max_encoding_message_size(usize::MAX)
            .max_decoding_message_size(usize::MAX);
        Ok(grpc.unary(Call(function), request).await)
    })
}

struct Call<F>(F);

impl<Q, A, F: Fn(Q) -> A> UnaryService<Q> for Call<F> {
    type Response = A;
    type Future = Ready<Result<Response<A>, Status>>;

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        ready(Ok(Response::new((self.0)(request.into_inner()))))
    }
}
