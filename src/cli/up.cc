// laketap up: where the parts of the server meet. They are made in the order in which a record
// meets them and end in the reverse order; none knows more of the others than its face says.
#include <fmt/format.h>
#include <pthread.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdlib>

#include "api/athena/athena.h"
#include "api/cloudformation/cloudformation.h"
#include "api/console/console.h"
#include "api/firehose/firehose.h"
#include "api/glue/glue.h"
#include "api/iam/iam.h"
#include "api/s3/s3.h"
#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/folder.h"
#include "cli/metrics_page.h"
#include "engine/engine.h"
#include "identity/roles.h"
#include "io/lock.h"
#include "io/reserve.h"
#include "query/query.h"
#include "server/authority.h"
#include "server/server.h"

namespace laketap::cli {
namespace {

constexpr std::chrono::seconds kDrainMax{30};
constexpr size_t kPemBytesMax = 1 << 20;
constexpr uint64_t kReserveBytes = 32 << 20;
constexpr size_t kOperationThreads = 8;  // They wait for the disk more than they work.

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// Everything that serves. Members are destroyed from the last to the first.
class Services {
 public:
  Services(const UpOptions& options, const std::string& host, uint16_t port)
      : options_(options),
        host_(host),
        port_(port),
        reserve_(options.data + "/reserve", kReserveBytes) {}

  // Errors: of whatever part could not be opened.
  Result<uint16_t> start();
  void stop();
  void hold_reserve() {
    if (!reserve_.hold()) spdlog::warn("the disk of {} is nearly full", options_.data);
  }
  const identity::Identities& identities() const { return *identities_; }
  uint16_t tls_port() const { return server_->tls_port(); }  // 0: none.

 private:
  Result<> open_state();
  Result<> open_lake();
  Result<> open_streams();
  Result<> open_queries();
  void register_operations();
  Result<server::TlsListener> tls_listener();
  Result<uint16_t> serve();
  std::vector<server::Page> pages();

  const UpOptions& options_;
  const std::string host_;
  const uint16_t port_;
  io::Reserve reserve_;
  io::Files& files_ = io::real_files();
  io::Clock& clock_ = io::real_clock();
  io::Random& random_ = io::real_random();

  std::unique_ptr<identity::Identities> identities_;
  std::unique_ptr<state::Database> control_, objects_, history_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<identity::Roles> roles_;
  std::unique_ptr<crawler::Crawlers> crawlers_;
  std::unique_ptr<journal::Journal> journal_;
  std::unique_ptr<delivery::Delivery> delivery_;
  std::unique_ptr<ingest::Streams> streams_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<query::Queries> queries_;
  std::unique_ptr<api::console::Console> console_;
  std::unique_ptr<wire::Operations> operations_;
  std::unique_ptr<api::cloudformation::OperationServices> stack_services_;
  std::unique_ptr<stacks::Stacks> stacks_;
  std::unique_ptr<server::Server> server_;
};

Result<> Services::open_state() {
  auto identities =
      identity::Identities::open({.directory = options_.data,
                                  .account = options_.account,
                                  .root_access_key = environment("LAKETAP_ROOT_ACCESS_KEY"),
                                  .root_secret_key = environment("LAKETAP_ROOT_SECRET_KEY"),
                                  .console_password = environment("LAKETAP_CONSOLE_PASSWORD")},
                                 files_, clock_, random_);
  if (!identities) return fail(identities.error());
  identities_ = std::move(*identities);
  const auto open = [&](std::unique_ptr<state::Database>& database, const char* name,
                        bool synced) -> Result<> {
    auto opened = state::open_sqlite(options_.data + "/" + name, {.synced = synced});
    if (!opened) return fail(opened.error());
    database = std::move(*opened);
    return {};
  };
  if (Result<> r = open(control_, "control.db", true); !r) return r;
  if (Result<> r = open(objects_, "objects.db", true); !r) return r;
  return open(history_, "history.db", false);
}

Result<> Services::open_lake() {
  auto store = store::Store::open(options_.data + "/objects", *objects_, files_, clock_, random_);
  if (!store) return fail(store.error(), "opening the objects");
  store_ = std::move(*store);
  auto catalog = catalog::Catalog::open(*control_, clock_);
  if (!catalog) return fail(catalog.error(), "opening the catalog");
  catalog_ = std::move(*catalog);
  roles_ = std::make_unique<identity::Roles>(*control_, clock_, random_);
  auto crawlers = crawler::Crawlers::open({*control_, *store_, *catalog_, clock_, random_});
  if (!crawlers) return fail(crawlers.error(), "opening the crawlers");
  crawlers_ = std::move(*crawlers);
  return {};
}

// The order that delivery asks for: configurations, what the journal holds, the streams, then work
// begins.
Result<> Services::open_streams() {
  delivery_ = std::make_unique<delivery::Delivery>(
      delivery::Options{}, delivery::Delivery::Parts{*control_, *store_, clock_, random_});
  if (Result<> r = delivery_->load(); !r) return fail(r.error(), "opening delivery");
  auto journal = journal::Journal::open(
      {.directory = options_.data + "/journal", .bytes_max = options_.journal_mib_max << 20},
      files_, [&](const journal::Replayed& frame) { delivery_->replay(frame); });
  if (!journal) return fail(journal.error(), "opening the journal");
  journal_ = std::move(*journal);
  auto streams = ingest::Streams::open({*control_, *delivery_, clock_, random_});
  if (!streams) return fail(streams.error(), "opening the streams");
  streams_ = std::move(*streams);
  delivery_->on_new_prefix([this](const delivery::NewPrefix& came) {
    crawlers_->on_new_prefix(came.bucket, came.prefix, came.sample);
  });
  crawlers_->ask_for_undelivered([this](const std::string& bucket, const std::string& prefix) {
    delivery_->notice_again(bucket, prefix);
  });
  return {};
}

Result<> Services::open_queries() {
  engine_ = std::make_unique<engine::WorkerEngine>(
      engine::WorkerOptions{.readable_folders = {options_.data + "/objects"},
                            .spill_folder = options_.data + "/spill",
                            .workers_max = options_.queries_max,
                            .memory_bytes = options_.worker_memory_mib << 20,
                            .allow_unsandboxed = options_.allow_unsandboxed_worker});
  auto queries = query::Queries::open(
      {.account = options_.account, .region = options_.region, .running_max = options_.queries_max},
      {*history_, *engine_, *store_, *catalog_, *streams_, clock_, random_});
  if (!queries) return fail(queries.error(), "opening the queries");
  queries_ = std::move(*queries);
  return {};
}

void Services::register_operations() {
  operations_ =
      std::make_unique<wire::Operations>(wire::Operations::Options{.threads = kOperationThreads});
  stack_services_ = std::make_unique<api::cloudformation::OperationServices>(*operations_);
  stacks_ = std::make_unique<stacks::Stacks>(*control_, *stack_services_, clock_, random_);
  api::firehose::register_firehose(*operations_, *streams_, clock_);
  api::s3::register_s3(*operations_, *store_, {.account = options_.account});
  api::glue::register_glue(*operations_, *catalog_, *crawlers_);
  api::athena::register_athena(*operations_, *queries_, *catalog_);
  api::cloudformation::register_cloudformation(*operations_, *stacks_, *store_);
  api::iam::register_iam(*operations_, *roles_);
  api::iam::register_sts(*operations_);
  operations_->authorize_with([this](const wire::Call& call, std::string_view action,
                                     std::string_view arn) -> std::optional<wire::Fault> {
    const Result<> allowed =
        identities_->authorize(identities_->caller(call.access_key_id, call.region), action, arn);
    if (allowed) return std::nullopt;
    return wire::Fault{"AccessDeniedException", 403, allowed.error().what, {}};
  });
}

std::vector<server::Page> Services::pages() {
  const auto health = [](const http::RequestHead& head, std::string_view) {
    http::Response response;
    response.status = head.method == "GET" || head.method == "HEAD" ? 200 : 405;
    response.headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}};
    response.body = fmt::format("{{\"status\":\"serving\",\"version\":\"{}\"}}\n", kVersion);
    return response;
  };
  return {{.prefix = "/_laketap/health", .handle = health},
          {.prefix = "/_laketap/metrics",
           .handle =
               [this](const http::RequestHead&, std::string_view) {
                 return metrics_page(*streams_, *store_, *journal_, server_->counters());
               },
           .access = server::Page::Access::signed_by},
          {.prefix = "/_console/",
           .handle = [this](const http::RequestHead& head, std::string_view body) {
             return console_->handle(head, body);
           }}};
}

Result<server::TlsListener> Services::tls_listener() {
  const auto listen = parse_listen(options_.tls_listen);
  if (!listen) return fail(listen.error());
  server::Certificate certificate;
  if (options_.tls_cert.empty()) {
    auto own = server::own_certificate(files_, options_.data + "/tls", clock_.now());
    if (!own) return fail(own.error());
    certificate = std::move(*own);
  } else {
    auto chain = io::read_file(files_, options_.tls_cert, kPemBytesMax);
    auto key = io::read_file(files_, options_.tls_key, kPemBytesMax);
    if (!chain) return fail(chain.error());
    if (!key) return fail(key.error());
    certificate = {std::move(*chain), std::move(*key)};
  }
  return server::TlsListener{.host = listen->host,
                             .port = listen->port,
                             .chain_pem = std::move(certificate.chain_pem),
                             .key_pem = std::move(certificate.key_pem)};
}

Result<uint16_t> Services::serve() {
  server::Options options{.host = host_, .port = port_, .threads = options_.threads};
  options.find_principal = [this](std::string_view key) -> std::optional<server::Principal> {
    const auto secret = identities_->secret(key);
    if (!secret) return std::nullopt;
    const identity::Caller caller = identities_->caller(key, options_.region);
    return server::Principal{*secret, caller.account, caller.arn};
  };
  options.default_region = options_.region;
  if (!options_.tls_listen.empty()) {
    auto tls = tls_listener();
    if (!tls) return fail(tls.error(), "--tls-listen");
    options.tls = std::move(*tls);
  }
  server_ =
      std::make_unique<server::Server>(std::move(options), *operations_, clock_, random_, pages());
  return server_->start();
}

Result<uint16_t> Services::start() {
  reserve_.release();  // A start writes a little, even on a full disk.
  if (Result<> r = open_state(); !r) return fail(r.error());
  if (Result<> r = open_lake(); !r) return fail(r.error());
  if (Result<> r = open_streams(); !r) return fail(r.error());
  if (Result<> r = open_queries(); !r) return fail(r.error());
  console_ = std::make_unique<api::console::Console>(
      api::console::Options{options_.allow_plain_http_login},
      api::console::Console::Parts{*identities_, *streams_, *store_, *catalog_, clock_});
  store_->keep_reserve(reserve_);
  store_->listen([this](const store::Change& change) {
    crawlers_->on_object(change);
    console_->on_object(change);
  });
  register_operations();
  if (Result<> r = delivery_->start(*journal_); !r) return fail(r.error(), "starting delivery");
  crawlers_->start_threads();
  if (Result<> r = stacks_->resume(); !r) return fail(r.error(), "resuming stacks");
  return serve();
}

// A late answer of the journal is posted to the server's threads, so the server goes last.
void Services::stop() {
  if (server_) server_->drain(kDrainMax);
  if (stacks_) stacks_->stop();
  queries_.reset();
  if (crawlers_) crawlers_->ask_for_undelivered({});
  if (delivery_) delivery_->stop();
  journal_.reset();
  server_.reset();
  stacks_.reset();
}

void set_up_log() {
  spdlog::set_default_logger(spdlog::stderr_color_mt("laketap"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
}

}  // namespace

int up(const UpOptions& options) {
  set_up_log();
  // Before any thread is there: all of them leave the signals to this one.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int one : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, one);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  const auto listen = parse_listen(options.listen);
  if (!listen) return complain(listen.error());
  const auto lock = io::FolderLock::acquire(options.data);
  if (!lock) return complain(lock.error());
  if (const Result<> stamped = check_format(options.data); !stamped)
    return complain(stamped.error());

  UpOptions absolute = options;  // The worker is told paths, and a crash report should be, too.
  absolute.data = absolute_path(options.data);
  Services services(absolute, listen->host, listen->port);
  const Result<uint16_t> port = services.start();
  if (!port) {
    services.stop();
    return complain(port.error());
  }
  const std::string url = fmt::format(
      "http://{}:{}", listen->host.contains(':') ? "[" + listen->host + "]" : listen->host, *port);
  if (const Result<> kept = write_endpoint(options.data, url); !kept) {
    services.stop();
    return complain(kept.error());
  }
  services.hold_reserve();
  if (const auto& password = services.identities().new_console_password())
    fmt::print("console log-in: admin / {}  (shown this once)\n", *password);
  if (services.tls_port() != 0)
    fmt::print("tls: https://{}:{}\n", parse_listen(options.tls_listen)->host, services.tls_port());
  fmt::print("laketap ready {} console {}/_console/\n", url, url);
  std::fflush(stdout);

  int signal = 0;
  sigwait(&signals, &signal);
  spdlog::info("signal {}: draining", signal);
  services.stop();
  return 0;
}

}  // namespace laketap::cli
