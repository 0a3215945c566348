#include <fmt/format.h>

#include <unordered_map>

#include "http/message.h"
#include "wire/form.h"
#include "wire/json.h"
#include "wire/pool.h"
#include "wire/render.h"
#include "wire/rest.h"
#include "wire/wire.h"

namespace laketap::wire {
namespace {

const Fault kBusy{"ServiceUnavailable", 503, "Too many requests are waiting. Try again.", {}};
const Fault kInternal{"InternalFailure", 500, "internal error", {}};

Fault not_implemented(const Service& service, const Operation& operation) {
  return {"NotImplemented",
          501,
          fmt::format("{}:{} is not implemented here", service.name, operation.name),
          {}};
}

Answer<const Operation*> match_json(const Service& service, const http::RequestHead& head) {
  const std::string* type = head.find("content-type");
  const std::string expected = fmt::format("application/x-amz-json-{}", service.json_version);
  if (!type || !type->starts_with(expected)) return refuse("UnknownOperationException", 404, {});
  const std::string* target = head.find("x-amz-target");
  if (!target) return refuse("UnknownOperationException", 400, {});
  const std::string_view whole(*target);
  const size_t dot = whole.find('.');
  if (dot == std::string_view::npos || whole.substr(0, dot) != service.target_prefix)
    return refuse("UnknownOperationException", 400, {});
  const Operation* operation = service.find(whole.substr(dot + 1));
  if (!operation) return refuse("UnknownOperationException", 400, {});
  return operation;
}

Answer<const Operation*> match_query(const Service& service, std::string_view text) {
  const Result<Form> form = parse_form(text);
  if (!form) return refuse("MalformedQueryString", 400, "The query string contains a syntax error");
  const std::string* action = form->find("Action");
  if (!action) return refuse("MissingAction", 400, "Missing Action");
  const std::string* version = form->find("Version");
  const Operation* operation = service.find(*action);
  if (!operation || (version && *version != service.version))
    return refuse("InvalidAction", 400,
                  fmt::format("Could not find operation {} for version {}", *action,
                              version ? *version : "NO_VERSION_SPECIFIED"));
  return operation;
}

std::optional<Fault> decode(const Route& route, const Call& call, const RequestBody& body,
                            void* input) {
  const Service& service = *route.service;
  const Shape& shape = *route.operation->input;
  switch (service.protocol) {
    case Protocol::json:
      return read_json(service, shape, body.bytes, body.bytes.size() + body.padding, input);
    case Protocol::rest_xml: return read_rest(service, *route.operation, *call.head, body, input);
    case Protocol::query: break;
  }
  const Result<Form> form =
      parse_form(call.head->method == "GET" ? std::string_view(call.head->query) : body.bytes);
  if (!form)
    return Fault{"MalformedQueryString", 400, "The query string contains a syntax error", {}};
  return read_form(service, shape, *form, input);
}

bool has_stream(const Shape* shape) {
  return shape && shape->payload && shape->payload->shape->kind == Kind::stream;
}

}  // namespace

struct Operations::State {
  explicit State(Options options) : pool(options.threads, options.queued_max) {}

  std::unordered_map<const Operation*, Handler> handlers;
  Authorizer authorizer;
  Pool pool;

  std::optional<Fault> authorize(const Route& route, const Call& call, const void* input) const {
    const std::string_view action = route.operation->action;
    if (!authorizer || action.empty()) return std::nullopt;
    for (const std::string& arn : resource_arns(*route.operation, call, input)) {
      if (auto fault = authorizer(call, action, arn)) return fault;
    }
    return std::nullopt;
  }

  // Everything before the handler: an input that is whole and may be handled, or the fault to
  // answer.
  Answer<std::shared_ptr<void>> prepare(const Route& route, const Handler& handler,
                                        const Call& call, const RequestBody& body) const {
    std::shared_ptr<void> input = handler.make_input();
    if (auto fault = decode(route, call, body, input.get()))
      return std::unexpected(std::move(*fault));
    if (auto fault = authorize(route, call, input.get())) return std::unexpected(std::move(*fault));
    return input;
  }

  static http::Response finish(const Route& route, const Call& call,
                               Answer<std::shared_ptr<void>> answer) {
    if (!answer) return render_fault(*route.service, call, answer.error());
    return render_answer(*route.service, *route.operation, call, answer->get());
  }

  // One call of a plain function. Shared: the thread that runs it may outlive the coroutine that
  // waits.
  struct Job {
    Route route;
    Call call;
    RequestBody body;
    Reply reply;
    http::Response response;
  };

  void run_sync(const Handler& handler, Job& job) const {
    try {
      Answer<std::shared_ptr<void>> input = prepare(job.route, handler, job.call, job.body);
      if (!input)
        job.response = render_fault(*job.route.service, job.call, input.error());
      else
        job.response = finish(job.route, job.call, handler.sync(job.call, input->get()));
    } catch (const std::exception&) {  // Out of memory, or a bug of a handler's: this call fails,
                                       // no other.
      job.response = render_fault(*job.route.service, job.call, kInternal);
    }
  }
};

Operations::Operations() : Operations(Options{}) {}
Operations::Operations(Options options) : state_(std::make_unique<State>(options)) {}
Operations::~Operations() = default;

void Operations::authorize_with(Authorizer authorizer) {
  state_->authorizer = std::move(authorizer);
}

void Operations::install(std::string_view service, std::string_view operation, const Shape& input,
                         const Shape& output, Handler handler) {
  const Service* found_service = find_service(service);
  ASSERT(found_service);
  const Operation* found = found_service->find(operation);
  ASSERT(found);
  ASSERT(found->input == &input);    // The handler's types are the model's,
  ASSERT(found->output == &output);  // and the operation is listed in aws/actions.toml.
  ASSERT(handler.async || !has_stream(found->input));
  ASSERT(!state_->handlers.contains(found));
  state_->handlers.emplace(found, std::move(handler));
}

Answer<Route> Operations::match(const Service& service, const http::RequestHead& head,
                                std::string_view form) const {
  Answer<const Operation*> found = service.protocol == Protocol::json ? match_json(service, head)
                                   : service.protocol == Protocol::query
                                       ? match_query(service, form)
                                       : match_rest(service, head);
  if (!found) return std::unexpected(std::move(found.error()));
  const bool served = state_->handlers.contains(*found);
  return Route{&service, *found, served, served && has_stream((*found)->input)};
}

Task<http::Response> Operations::run(Route route, Call call, RequestBody body) const {
  auto job = std::make_shared<State::Job>(State::Job{route, std::move(call), body, {}, {}});
  job->call.reply = &job->reply;
  const auto found = state_->handlers.find(route.operation);
  if (found == state_->handlers.end())
    co_return render_fault(*route.service, job->call,
                           not_implemented(*route.service, *route.operation));
  const Handler& handler = found->second;
  if (handler.sync) {
    std::function<void()> work = [state = state_.get(), &handler, job] {
      state->run_sync(handler, *job);
    };
    const bool taken = co_await state_->pool.run(std::move(work));
    if (!taken) co_return render_fault(*route.service, job->call, kBusy);
    co_return std::move(job->response);
  }
  Answer<std::shared_ptr<void>> input = state_->prepare(route, handler, job->call, body);
  if (!input) co_return render_fault(*route.service, job->call, input.error());
  std::optional<Answer<std::shared_ptr<void>>> answer;
  try {
    answer = co_await handler.async(job->call, input->get());
  } catch (const std::bad_alloc&) {
    answer = std::unexpected(kInternal);
  }
  co_return State::finish(route, job->call, std::move(*answer));
}

Answer<std::string> Operations::call_json(std::string_view service, std::string_view operation,
                                          Call call, std::string_view input) const {
  const Service* found_service = find_service(service);
  const Operation* found = found_service ? found_service->find(operation) : nullptr;
  if (!found) return refuse("UnknownOperationException", 400, {});
  const auto handler = state_->handlers.find(found);
  if (handler == state_->handlers.end() || !handler->second.sync)
    return std::unexpected(not_implemented(*found_service, *found));
  Reply reply;
  call.reply = &reply;
  const std::shared_ptr<void> decoded = handler->second.make_input();
  if (auto fault = read_json(*found_service, *found->input, input, input.size(), decoded.get()))
    return std::unexpected(std::move(*fault));
  if (auto fault = state_->authorize(Route{found_service, found, true, false}, call, decoded.get()))
    return std::unexpected(std::move(*fault));
  try {
    auto answer = handler->second.sync(call, decoded.get());
    if (!answer) return std::unexpected(std::move(answer.error()));
    return encode_json(*found->output, answer->get());
  } catch (const std::exception&) {
    return std::unexpected(kInternal);
  }
}

http::Response Operations::render(const Service& service, const Call& call, const Fault& fault) {
  return render_fault(service, call, fault);
}

std::vector<Route> Operations::routes() const {
  std::vector<Route> routes;
  for (const Service* service : services()) {
    for (const Operation& operation : service->operations) {
      const bool served = state_->handlers.contains(&operation);
      routes.push_back({service, &operation, served, served && has_stream(operation.input)});
    }
  }
  return routes;
}

std::optional<Fault> decode_json(const Service& service, const Shape& shape, std::string_view text,
                                 void* target) {
  return read_json(service, shape, text, text.size(), target);
}

Fault body_fault(const Error& error) {
  if (error.kind == ErrorKind::cancelled)
    return {"RequestTimeout",
            400,
            "Your socket connection to the server was not read from or written to within the "
            "timeout period.",
            {}};
  const size_t colon = error.what.find(": ");
  if (error.kind != ErrorKind::invalid || colon == std::string::npos)
    return {"InternalError", 500, "We encountered an internal error. Please try again.", {}};
  std::string code = error.what.substr(0, colon);
  const int status = code == "SignatureDoesNotMatch" ? 403 : 400;
  return {std::move(code), status, error.what.substr(colon + 2), {}};
}

}  // namespace laketap::wire
