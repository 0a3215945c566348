// The table of AWS operations: from a request's bytes to a handler's struct and back.
//
//     server ── match ──▶ Route ── run ──▶ decode ▶ validate ▶ authorize ▶ handler ▶ encode ──▶
//     http::Response
//
// Everything that differs between operations stands in tables generated from AWS's own models
// (aws/codegen); the code here is the same for all of them. A door in api/ is a function from one
// generated struct to another:
//
//     operations.add<firehose::ListDeliveryStreamsInput, firehose::ListDeliveryStreamsOutput>(
//         "firehose", "ListDeliveryStreams", [&](const Call& call, auto input) { ... });
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/task.h"
#include "wire/types.h"

namespace laketap::http {
struct RequestHead;
struct Response;
}  // namespace laketap::http

namespace laketap::wire {

// What a caller is told when an operation is refused: AWS's code, status and text.
struct Fault {
  std::string code;  // Bare: "ResourceNotFoundException".
  int status = 400;  // HTTP.
  std::string message;
  std::vector<std::pair<std::string, std::string>>
      fields;  // Further members (JSON) or elements (XML).
};

template <class T>
using Answer = std::expected<T, Fault>;

// return wire::refuse("NoSuchBucket", 404, "The specified bucket does not exist", {{"BucketName",
// name}});
inline std::unexpected<Fault> refuse(std::string code, int status, std::string message,
                                     std::vector<std::pair<std::string, std::string>> fields = {}) {
  return std::unexpected(Fault{std::move(code), status, std::move(message), std::move(fields)});
}

// What a handler may add to its answer beside the output's members.
struct Reply {
  int status = 0;  // 0: as the model says (200 mostly); S3 sets 206 for a range.
  std::vector<std::pair<std::string, std::string>> headers;
};

// Who calls, and what came with the call. Lives until the answer is encoded.
struct Call {
  std::string request_id;
  std::string region;   // Of the signature.
  std::string account;  // Twelve digits.
  std::string caller_arn;
  std::string access_key_id;
  const http::RequestHead* head = nullptr;  // Null when a call does not come over HTTP.
  Reply* reply = nullptr;                   // Set by run(), never null in a handler.
};

// A request's body that is read as it arrives (S3's PutObject, UploadPart).
// Thread-safety: one reader, on the connection's thread. Ownership: the server's, until run() is
// done.
class BodyReader {
 public:
  virtual ~BodyReader() = default;

  // Waits for bytes and puts some at the front of `target`. Returns how many; 0 only at the end,
  // which is reported only after hash and checksum were found right. Errors: cancelled - the peer
  // left. invalid - what came is not what was signed; `what` is then "CODE: message" in S3's words,
  // see body_fault().
  virtual Task<Result<size_t>> read(std::span<uint8_t> target) = 0;

  // Bytes of content that will come (decoded, without chunk framing), when the request says.
  virtual std::optional<uint64_t> length() const = 0;
};

// The Fault for what BodyReader::read() returned.
Fault body_fault(const Error& error);

struct Shape;      // wire/shape.h: one type of a model, as a table.
struct Operation;  // wire/shape.h: one operation of a model.
struct Service;  // wire/shape.h: name, protocol, target prefix, signing name, version, operations.

// Every service with a model in aws/actions.toml, by our own name of it ("firehose", "s3", ...).
const Service* find_service(std::string_view name);
std::span<const Service* const> services();

// Decodes a JSON document as an input of the API, with all of the model's checks: for callers that
// hold an API's input as JSON (a stack's resource properties, a file).
// Errors: the Fault that the API's own client would have seen.
std::optional<Fault> decode_json(const Service& service, const Shape& shape, std::string_view text,
                                 void* target);
template <class In>
Answer<In> decode_json(const Service& service, std::string_view text) {
  In decoded{};
  auto fault = decode_json(service, shape_of(static_cast<const In*>(nullptr)), text, &decoded);
  if (fault) return std::unexpected(std::move(*fault));
  return decoded;
}
// Compact JSON of a generated struct, as its service would answer it.
std::string encode_json(const Shape& shape, const void* value);
template <class T>
std::string encode_json(const T& value) {
  return encode_json(shape_of(&value), &value);
}

const Shape& shape_of(const Empty*);

// One operation that the table knows, served or not.
struct Route {
  const Service* service = nullptr;
  const Operation* operation = nullptr;
  bool served = false;        // False: run() answers 501 NotImplemented.
  bool streams_body = false;  // True: give run() a BodyReader; false: give it the whole body.
};

// A request's body, one of both (see Route::streams_body). Borrowed until run() is done.
struct RequestBody {
  std::string_view bytes;
  size_t padding =
      0;  // Bytes after `bytes` that may be read; with 64 a JSON body is parsed in place.
  BodyReader* stream = nullptr;
};

// May this caller do `action` ("firehose:PutRecord") on the resource `arn` ("*": on none in
// particular)? Nothing: yes. Called after the input was decoded and validated, before the handler.
using Authorizer =
    std::function<std::optional<Fault>(const Call&, std::string_view action, std::string_view arn)>;

// Thread-safety: add(), add_async() and authorize_with() before the first run(); all else from any
// thread.
class Operations {
 public:
  struct Options {
    size_t threads = 4;  // For handlers given to add(). 0: they run where run() is called (tests).
    size_t queued_max = 512;  // Calls waiting for a thread; the next one gets 503.
  };

  Operations();
  explicit Operations(Options options);
  ~Operations();  // Waits for handlers that run.

  // A plain function, run on the thread pool. Operation and types must be the model's: else ASSERT.
  template <class In, class Out>
  void add(std::string_view service, std::string_view operation,
           std::function<Answer<Out>(const Call&, In)> handler) {
    Handler erased;
    erased.make_input = [] { return std::shared_ptr<void>(std::make_shared<In>()); };
    erased.sync = [handler = std::move(handler)](const Call& call,
                                                 void* input) -> Answer<std::shared_ptr<void>> {
      Answer<Out> answer = handler(call, std::move(*static_cast<In*>(input)));
      if (!answer) return std::unexpected(std::move(answer.error()));
      return std::make_shared<Out>(std::move(*answer));
    };
    install(service, operation, shape_of(static_cast<const In*>(nullptr)),
            shape_of(static_cast<const Out*>(nullptr)), std::move(erased));
  }

  // A coroutine, run on the connection's thread: for bytes that stream and for waiting, never for
  // work that blocks. `call` and what `input` views live until it is done.
  template <class In, class Out>
  void add_async(std::string_view service, std::string_view operation,
                 std::function<Task<Answer<Out>>(const Call&, In)> handler) {
    Handler erased;
    erased.make_input = [] { return std::shared_ptr<void>(std::make_shared<In>()); };
    auto shared =
        std::make_shared<std::function<Task<Answer<Out>>(const Call&, In)>>(std::move(handler));
    erased.async = [shared](const Call& call, void* input) {
      return await_handler<In, Out>(shared, call, input);
    };
    install(service, operation, shape_of(static_cast<const In*>(nullptr)),
            shape_of(static_cast<const Out*>(nullptr)), std::move(erased));
  }

  void authorize_with(Authorizer authorizer);

  // Which operation of `service` a request asks for. JSON: the X-Amz-Target; Query: Action in
  // `form` (the body, or the query of a GET); S3: method, bucket, key, subresources. Errors: the
  // Fault to answer: UnknownOperationException and its like; S3's 501 and 405.
  Answer<Route> match(const Service& service, const http::RequestHead& head,
                      std::string_view form) const;

  // Decodes, validates, authorizes, calls, encodes. Always an answer, faults included.
  Task<http::Response> run(Route route, Call call, RequestBody body) const;

  // The same for a caller inside this program that holds the input as JSON: input and answer by the
  // model's member names, whatever the service's own protocol. The handler runs on the calling
  // thread. Handlers given to add_async() are not for this: they answer NotImplemented.
  Answer<std::string> call_json(std::string_view service, std::string_view operation, Call call,
                                std::string_view input) const;

  // A fault in the words of the service's protocol: also for what the server refuses itself.
  static http::Response render(const Service& service, const Call& call, const Fault& fault);

  // Every operation of every model, served or not: what tests are generated from.
  std::vector<Route> routes() const;

 private:
  struct Handler {
    std::shared_ptr<void> (*make_input)() = nullptr;
    std::function<Answer<std::shared_ptr<void>>(const Call&, void* input)> sync;
    std::function<Task<Answer<std::shared_ptr<void>>>(const Call&, void* input)> async;
  };
  struct State;

  template <class In, class Out>
  static Task<Answer<std::shared_ptr<void>>> await_handler(
      std::shared_ptr<std::function<Task<Answer<Out>>(const Call&, In)>> handler, const Call& call,
      void* input) {
    Task<Answer<Out>> task = (*handler)(call, std::move(*static_cast<In*>(input)));
    Answer<Out> answer = co_await std::move(task);
    if (!answer) co_return std::unexpected(std::move(answer.error()));
    co_return std::make_shared<Out>(std::move(*answer));
  }
  void install(std::string_view service, std::string_view operation, const Shape& input,
               const Shape& output, Handler handler);

  std::unique_ptr<State> state_;
};

}  // namespace laketap::wire
