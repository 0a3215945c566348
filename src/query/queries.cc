#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "query/core.h"
#include "query/metadata.h"
#include "query/record.h"
#include "query/result.h"

namespace laketap::query {
namespace {

std::unexpected<Refusal> refuse(std::string message, std::string code = "INVALID_INPUT") {
  return std::unexpected(Refusal{"InvalidRequestException", std::move(code), std::move(message)});
}
std::unexpected<Refusal> broken() {
  return std::unexpected(Refusal{"InternalServerException", "", "internal error"});
}

bool is_over(State state) {
  return state == State::succeeded || state == State::failed || state == State::cancelled;
}

// What two requests of one token must share. Contract: athena.md A3, measured.
std::string fingerprint(const StartRequest& request) {
  const auto part = [](const std::optional<std::string>& text) {
    return text ? "=" + *text : std::string("-");
  };
  return state::key(request.sql, part(request.database), part(request.catalog),
                    part(request.output_location));
}

bool is_text_result(const Execution& execution) {
  return execution.output_location.ends_with(".txt");
}

std::string lowered(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return text;
}

}  // namespace

std::string_view to_string(State state) {
  switch (state) {
    case State::queued: return "QUEUED";
    case State::running: return "RUNNING";
    case State::succeeded: return "SUCCEEDED";
    case State::failed: return "FAILED";
    case State::cancelled: return "CANCELLED";
  }
  return "FAILED";
}

Queries::Queries(std::unique_ptr<Core> core) : core_(std::move(core)) {}

Queries::~Queries() {
  core_->closing = true;
  {
    const std::lock_guard lock(core_->mutex);
    for (const auto& [id, live] : core_->live) live->stop.request_stop();
  }
  for (std::jthread& thread : core_->threads) thread.request_stop();
  core_->threads.clear();  // Joins.
}

Result<std::unique_ptr<Queries>> Queries::open(Options options, Parts parts) {
  auto queries = std::make_unique<Queries>(std::make_unique<Core>(std::move(options), parts));
  Core& core = *queries->core_;
  core.opened = parts.clock.now();
  const Result<> recovered = core.recover();
  if (!recovered) return fail(recovered.error(), "the executions of the last run");
  const auto place = parse_location(queries->default_output());
  if (!place)
    return fail(ErrorKind::invalid, "no bucket can be named " + queries->default_output());
  const Result<> made = parts.store.create_bucket(place->bucket, core.options.region);
  if (!made && made.error().kind != ErrorKind::exists)
    return fail(made.error(), "making the bucket of query results");
  for (size_t i = 0; i < std::max<size_t>(core.options.running_max, 1); ++i)
    core.threads.emplace_back([&core](std::stop_token stop) { core.work(stop); });
  return queries;
}

std::string Queries::default_output() const {
  return fmt::format("s3://aws-athena-query-results-{}-{}/", core_->options.account,
                     core_->options.region);
}

Timestamp Queries::opened() const {
  return core_->opened;
}

Result<> Queries::Core::recover() {
  constexpr size_t kAtOnce = 500;
  for (;;) {
    size_t found = 0;
    const Result<> done =
        state::transact(parts.history, [&](state::Transaction& transaction) -> Result<> {
          const std::string prefix = state::key("running");
          const auto entries = transaction.scan(prefix, state::prefix_end(prefix), kAtOnce);
          if (!entries) return fail(entries.error());
          found = entries->size();
          for (const state::Entry& entry : *entries) {
            const std::string id = state::parts_of(entry.key).back();
            const auto record = transaction.get(execution_key(id));
            if (!record) return fail(record.error());
            if (*record) {
              if (auto execution = decode((*record)->value)) {
                execution->state = State::failed;
                execution->reason = kStopped;
                execution->error_category = 1;
                execution->error_type = 9999;
                execution->completed = parts.clock.now();
                transaction.put(execution_key(id), encode(*execution));
              }
            }
            transaction.erase(entry.key);
          }
          return {};
        });
    if (!done) return done;
    if (found < kAtOnce) return {};
  }
}

void Queries::Core::work(std::stop_token stop) {
  for (;;) {
    std::shared_ptr<Live> next;
    {
      std::unique_lock lock(mutex);
      if (!wake.wait(lock, stop, [&] { return !waiting.empty(); })) return;
      next = std::move(waiting.front());
      waiting.pop_front();
    }
    run(*next);
    const std::string id = next->copy().id;
    const std::lock_guard lock(mutex);
    live.erase(id);
  }
}

Answer<std::string> Queries::Core::output_of(const StartRequest& request) const {
  std::string location = request.output_location.value_or(
      fmt::format("s3://aws-athena-query-results-{}-{}/", options.account, options.region));
  const auto place = parse_location(location);
  if (!place || place->key.starts_with('/') || place->key.find("//") != std::string::npos)
    return refuse("outputLocation is not a valid S3 path.");
  const auto bucket = parts.store.find_bucket(place->bucket);
  if (!bucket)
    return refuse(fmt::format("Unable to verify/create output bucket {}", place->bucket));
  if (location.back() != '/') location += '/';
  constexpr size_t kNameBytes =
      std::string_view("01234567-89ab-cdef-0123-456789abcdef.csv.metadata").size();
  if (location.size() - std::string_view("s3://").size() - place->bucket.size() - 1 + kNameBytes >
      store::kKeyBytesMax)
    return refuse("outputLocation is not a valid S3 path.");
  return location;
}

Answer<std::string> Queries::start(const identity::Caller&, StartRequest request) {
  if (request.token.empty()) return refuse("clientRequestToken is null or empty");
  if (request.work_group != "primary") return refuse("WorkGroup is not found.");
  const auto output = core_->output_of(request);
  if (!output) return std::unexpected(output.error());
  auto statement = sql::parse(request.sql);
  if (!statement) {
    const sql::Problem& problem = statement.error();
    const bool placed = problem.line > 0;
    return refuse(placed
                      ? fmt::format("line {}:{}: {}", problem.line, problem.column, problem.message)
                      : problem.message,
                  placed ? "MALFORMED_QUERY" : "INVALID_INPUT");
  }
  if (const auto early =
          refuse_early(core_->parts.catalog, *statement, request.database.value_or("default")))
    return std::unexpected(*early);
  return core_->admit(std::move(request), std::move(*statement), *output);
}

Answer<std::string> Queries::Core::admit(StartRequest request, sql::ParsedStatement statement,
                                         std::string output) {
  const auto live_one = std::make_shared<Live>();
  Execution& execution = live_one->execution;
  execution.id = io::uuid_v4(parts.random);
  execution.sql = statement.text;
  execution.statement_type = statement.statement_type;
  execution.substatement_type = statement.substatement_type;
  execution.work_group = request.work_group;
  if (request.database) execution.database = lowered(*request.database);
  if (request.catalog) execution.catalog = lowered(*request.catalog);
  execution.parameters = request.parameters;
  execution.output_location =
      output + execution.id + (statement.statement_type == "DML" ? ".csv" : ".txt");
  execution.submitted = parts.clock.now();
  live_one->statement = std::move(statement);

  const std::string mark = fingerprint(request);
  std::string earlier;
  {
    const std::lock_guard lock(mutex);
    if (waiting.size() >= options.queued_max)
      return std::unexpected(
          Refusal{"TooManyRequestsException", "",
                  "You have exceeded the limit for the number of queries you can run concurrently. "
                  "Please reduce the number of concurrent queries submitted by this account."});
  }
  bool mismatch = false;
  const Result<> saved =
      state::transact(parts.history, [&](state::Transaction& transaction) -> Result<> {
        earlier.clear();
        mismatch = false;
        const auto known = transaction.get(token_key(request.token));
        if (!known) return fail(known.error());
        if (*known) {
          const std::string& value = (*known)->value;  // The id, then the fingerprint.
          earlier = value.substr(0, execution.id.size());
          mismatch = value.substr(std::min(value.size(), execution.id.size())) != mark;
          return {};
        }
        transaction.put(token_key(request.token), execution.id + mark);
        transaction.put(execution_key(execution.id), encode(execution));
        transaction.put(running_key(execution.id), "");
        transaction.put(recent_key(execution.work_group, execution.submitted, execution.id), "");
        return {};
      });
  if (!saved) return broken();
  if (mismatch)
    return refuse("Idempotent parameters do not match", "IDEMPOTENT_PARAMETER_MISMATCH");
  if (!earlier.empty()) return earlier;

  const std::string id = execution.id;
  const std::lock_guard lock(mutex);
  live[id] = live_one;
  waiting.push_back(live_one);
  wake.notify_one();
  return id;
}

Answer<> Queries::stop(std::string_view id) {
  std::shared_ptr<Live> found;
  bool was_waiting = false;
  {
    const std::lock_guard lock(core_->mutex);
    const auto at = core_->live.find(id);
    if (at != core_->live.end()) found = at->second;
    if (found) was_waiting = std::erase(core_->waiting, found) > 0;
  }
  if (!found) {
    const auto known = find(id);
    if (!known) return std::unexpected(known.error());
    return {};  // Over: nothing changes.
  }
  found->stop.request_stop();
  if (was_waiting) {
    const Error cancelled{ErrorKind::cancelled, ""};
    core_->finish(*found, State::cancelled, &cancelled);
    const std::lock_guard lock(core_->mutex);
    core_->live.erase(std::string(id));
  }
  return {};
}

Answer<Execution> Queries::find(std::string_view id) const {
  {
    std::shared_ptr<Live> found;
    {
      const std::lock_guard lock(core_->mutex);
      const auto at = core_->live.find(id);
      if (at != core_->live.end()) found = at->second;
    }
    if (found) return found->copy();
  }
  const auto transaction = core_->parts.history.begin();
  if (!transaction) return broken();
  const auto entry = (*transaction)->get(execution_key(id));
  if (!entry) return broken();
  if (!*entry)
    return refuse(fmt::format("QueryExecution {} was not found", id), "QUERY_EXECUTION_NOT_FOUND");
  auto execution = decode((*entry)->value);
  if (!execution) return broken();
  return *execution;
}

Answer<ResultPage> Queries::results(std::string_view id, std::string_view token,
                                    size_t rows_max) const {
  const auto execution = find(id);
  if (!execution) return std::unexpected(execution.error());
  if (rows_max > kPageRowsMax) return refuse("MaxResults is more than maximum allowed length 1000");
  const bool metadata_kind = is_text_result(*execution);
  if (!is_over(execution->state))
    return refuse(
        fmt::format("Query has not yet finished. Current state: {}", to_string(execution->state)),
        "INVALID_QUERY_EXECUTION_STATE");
  if (execution->state == State::cancelled)
    return refuse("Could not find results", "RESULT_NOT_FOUND");
  ResultPage page;
  if (execution->state == State::failed) {
    if (!metadata_kind)
      return refuse("Query did not finish successfully. Final query state: FAILED",
                    "INVALID_QUERY_EXECUTION_STATE");
    page.no_metadata = true;
    return page;
  }
  // The token is the byte where the next row begins, with the id it belongs to.
  const std::string prefix = std::string(id.substr(0, 8)) + ".";
  uint64_t offset = 0;
  if (!token.empty()) {
    const std::string_view digits =
        token.starts_with(prefix) ? token.substr(prefix.size()) : std::string_view();
    const auto [end, failed] =
        std::from_chars(digits.data(), digits.data() + digits.size(), offset);
    if (digits.empty() || failed != std::errc() || end != digits.data() + digits.size())
      return refuse(fmt::format("Malformed nextPageToken {}", token));
  }
  const auto place = parse_location(execution->output_location);
  if (!place) return broken();
  auto slice = metadata_kind ? read_lines(core_->parts.store, *place, offset, rows_max)
                             : read_csv(core_->parts.store, *place, offset, rows_max);
  if (!slice) {
    if (slice.error().kind == ErrorKind::invalid)
      return refuse(fmt::format("Malformed nextPageToken {}", token));
    return refuse("Could not find results", "RESULT_NOT_FOUND");
  }
  page.columns = execution->columns;
  page.rows = std::move(slice->rows);
  // Measured: a full page has a token even when nothing follows.
  if (page.rows.size() == rows_max)
    page.next_token = fmt::format("{}{}", prefix, slice->next_offset);
  page.has_update_count = execution->substatement_type != "DESCRIBE_TABLE";
  return page;
}

Answer<ExecutionPage> Queries::list(std::string_view work_group, std::string_view token,
                                    size_t limit) const {
  if (work_group != "primary") return refuse("WorkGroup is not found.");
  const std::string prefix = recent_prefix(work_group);
  std::string first = prefix;
  if (!token.empty()) {  // The id of the last one shown.
    const auto last = find(token);
    if (!last) return refuse(fmt::format("The nextPageToken is malformed: {}", token));
    first = recent_key(work_group, last->submitted, last->id) + '\0';
  }
  const auto transaction = core_->parts.history.begin();
  if (!transaction) return broken();
  const auto entries = (*transaction)->scan(first, state::prefix_end(prefix), limit + 1);
  if (!entries) return broken();
  ExecutionPage page;
  for (const state::Entry& entry : *entries) {
    if (page.ids.size() == limit) {
      page.next_token = page.ids.empty() ? "" : page.ids.back();
      break;
    }
    page.ids.push_back(state::parts_of(entry.key).back());
  }
  return page;
}

}  // namespace laketap::query
