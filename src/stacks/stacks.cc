#include "stacks/stacks.h"

#include <fmt/format.h>

#include <algorithm>

#include "stacks/run.h"

namespace laketap::stacks {
namespace {

constexpr size_t kWorkers = 2;       // Stacks that are worked on at once.
constexpr size_t kQueueMax = 2000;   // CloudFormation's quota of stacks.
constexpr size_t kScanMax = 10'000;  // Stacks, deleted ones included, that one listing reads.

bool valid_name(std::string_view name) {
  if (name.empty() || name.size() > 128 || !std::isalpha(static_cast<unsigned char>(name[0])))
    return false;
  return std::ranges::all_of(name,
                             [](unsigned char c) { return std::isalnum(c) != 0 || c == '-'; });
}

bool in_progress(const Stack& stack) {
  return stack.status.ends_with("_IN_PROGRESS");
}

Refusal internal(const Error& error) {
  return {"InternalFailure", error.what};
}

Refusal no_such(const std::string& name) {
  return {"ValidationError", fmt::format("Stack with id {} does not exist", name)};
}

Result<std::optional<Stack>> load(state::Transaction& transaction, const std::string& name_or_id) {
  std::string id = name_or_id;
  if (!name_or_id.starts_with("arn:")) {
    const auto entry = transaction.get(name_key(name_or_id));
    if (!entry) return fail(entry.error());
    if (!*entry) return std::optional<Stack>();
    id = (*entry)->value;
  }
  const auto entry = transaction.get(stack_key(id));
  if (!entry) return fail(entry.error());
  if (!*entry) return std::optional<Stack>();
  Result<Stack> stack = read_stack((*entry)->value);
  if (!stack) return fail(stack.error());
  return std::optional(std::move(*stack));
}

std::optional<Refusal> check_capabilities(const Template& made,
                                          const std::vector<std::string>& given) {
  const auto has = [&](const char* name) { return std::ranges::find(given, name) != given.end(); };
  for (const std::string& needed : needed_capabilities(made).needed) {
    if (has("CAPABILITY_NAMED_IAM") || (needed == "CAPABILITY_IAM" && has("CAPABILITY_IAM")))
      continue;
    return Refusal{"InsufficientCapabilitiesException",
                   fmt::format("Requires capabilities : [{}]", needed)};
  }
  return std::nullopt;
}

}  // namespace

Outcome<Template> validate_template(std::string_view body) {
  Outcome<Template> made = parse_template(body);
  if (!made) return made;
  if (!made->transforms.empty())
    return refuse(
        fmt::format("Transform {} is not served (docs/gaps.md)", made->transforms.front()));
  std::vector<std::string> unknown;
  for (const Resource& resource : made->resources)
    if (!find_type(resource.type) && std::ranges::find(unknown, resource.type) == unknown.end())
      unknown.push_back(resource.type);
  if (!unknown.empty())
    return refuse(fmt::format("Template format error: Unrecognized resource types: [{}]",
                              fmt::join(unknown, ", ")));
  if (const auto order = creation_order(*made); !order) return std::unexpected(order.error());
  return made;
}

Stacks::Stacks(state::Database& database, Services& services, io::Clock& clock, io::Random& random)
    : database_(database), services_(services), clock_(clock), random_(random) {
  for (size_t i = 0; i < kWorkers; ++i) workers_.emplace_back([this] { work(); });
}

Stacks::~Stacks() {
  stop();
}

void Stacks::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::jthread& worker : workers_) worker.request_stop();
  workers_.clear();
}

void Stacks::enqueue(const std::string& id) {
  {
    const std::scoped_lock lock(mutex_);
    queue_.push_back(id);
  }
  wake_.notify_one();
}

void Stacks::work() {
  std::stop_source stop;
  while (true) {
    std::string id;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      id = std::move(queue_.front());
      queue_.pop_front();
    }
    const Outcome<Stack> stack = find(id);
    if (!stack) continue;
    // A failure of state ends here: the stack stays IN_PROGRESS, and the next start carries on.
    const Result<> done =
        Run(database_, services_, clock_, random_, *stack, stop.get_token()).run();
    if (!done) fmt::print(stderr, "laketap: stack {}: {}\n", stack->name, done.error().what);
  }
}

Result<> Stacks::resume() {
  const Outcome<std::vector<Stack>> all = list(false);
  if (!all) return fail(ErrorKind::unavailable, all.error().message);
  for (const Stack& stack : *all)
    if (in_progress(stack)) enqueue(stack.id);
  return {};
}

Outcome<std::string> Stacks::create(const identity::Caller& caller, const CreateRequest& request) {
  if (!valid_name(request.name))
    return refuse(fmt::format(
        "1 validation error detected: Value '{}' at 'stackName' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*",
        request.name));
  const Outcome<Template> made = validate_template(request.body);
  if (!made) return std::unexpected(made.error());
  const auto values = resolve_parameters(*made, request.parameters, {});
  if (!values) return std::unexpected(values.error());
  if (const auto refused = check_capabilities(*made, request.capabilities))
    return std::unexpected(*refused);

  Stack stack;
  stack.name = request.name;
  stack.id = fmt::format("arn:aws:cloudformation:{}:{}:stack/{}/{}", caller.region, caller.account,
                         request.name, io::uuid_v4(random_));
  stack.description = made->description;
  stack.status = "CREATE_IN_PROGRESS";
  stack.status_reason = "User Initiated";
  stack.body = request.body;
  for (const Parameter& parameter : made->parameters) {
    const auto given = std::ranges::find(request.parameters, parameter.name, &GivenParameter::key);
    stack.parameters[parameter.name] =
        given != request.parameters.end() ? given->value : parameter.default_value.value_or("");
    if (parameter.no_echo) stack.no_echo.push_back(parameter.name);
  }
  stack.capabilities = request.capabilities;
  stack.tags = request.tags;
  stack.on_failure = request.on_failure;
  stack.client_token = request.client_token;
  stack.termination_protection = request.termination_protection;
  stack.timeout_minutes = request.timeout_minutes;
  stack.created = clock_.now();
  stack.owner = caller;
  stack.event_count = 1;
  const StackEvent event = stack_event(stack, clock_, random_);

  std::optional<Refusal> refused;
  const Result<> saved =
      state::transact(database_, [&](state::Transaction& transaction) -> Result<> {
        refused.reset();
        const auto existing = load(transaction, request.name);
        if (!existing) return fail(existing.error());
        if (*existing) {
          if (!request.client_token.empty() && (*existing)->client_token == request.client_token &&
              (*existing)->body == request.body) {
            stack.id = (*existing)->id;  // The same request once more, after a lost answer.
            return fail(ErrorKind::exists, "");
          }
          refused = Refusal{"AlreadyExistsException",
                            fmt::format("Stack [{}] already exists", request.name)};
          return fail(ErrorKind::exists, "");
        }
        transaction.put(stack_key(stack.id), write_stack(stack));
        transaction.put(name_key(stack.name), stack.id);
        transaction.put(event_key(stack.id, 0), write_event(event));
        return {};
      });
  if (refused) return std::unexpected(*refused);
  if (!saved && saved.error().kind == ErrorKind::exists) return stack.id;
  if (!saved) return std::unexpected(internal(saved.error()));
  {
    const std::scoped_lock lock(mutex_);
    if (queue_.size() >= kQueueMax)
      return refuse("Limit for stack has been exceeded", "LimitExceededException");
  }
  enqueue(stack.id);
  return stack.id;
}

Outcome<bool> Stacks::remove(const identity::Caller&, const std::string& name_or_id,
                             const std::vector<std::string>& retain) {
  std::optional<Refusal> refused;
  std::string id;
  const Result<> saved =
      state::transact(database_, [&](state::Transaction& transaction) -> Result<> {
        refused.reset();
        id.clear();
        auto found = load(transaction, name_or_id);
        if (!found) return fail(found.error());
        if (!*found || (*found)->status == "DELETE_COMPLETE") return {};
        Stack& stack = **found;
        if (stack.termination_protection) {
          refused = Refusal{
              "ValidationError",
              fmt::format("Stack [{}] cannot be deleted while TerminationProtection is enabled",
                          stack.name)};
          return {};
        }
        if (stack.status == "CREATE_IN_PROGRESS" || stack.status == "ROLLBACK_IN_PROGRESS") {
          refused = Refusal{"ValidationError",
                            fmt::format("Stack:{} is in {} state and can not be deleted.", stack.id,
                                        stack.status)};
          return {};
        }
        if (stack.status == "DELETE_IN_PROGRESS") return {};
        if (!retain.empty() && stack.status != "DELETE_FAILED") {
          refused = Refusal{"ValidationError",
                            fmt::format("Invalid operation on stack [{}]. RetainResources can only "
                                        "be specified when stack is in DELETE_FAILED state",
                                        stack.id)};
          return {};
        }
        for (StackResource& resource : stack.resources)
          if (std::ranges::find(retain, resource.logical_id) != retain.end())
            resource.status = "DELETE_SKIPPED";
        stack.status = "DELETE_IN_PROGRESS";
        stack.status_reason = "User Initiated";
        id = stack.id;
        transaction.put(event_key(stack.id, stack.event_count++),
                        write_event(stack_event(stack, clock_, random_)));
        transaction.put(stack_key(stack.id), write_stack(stack));
        return {};
      });
  if (refused) return std::unexpected(*refused);
  if (!saved) return std::unexpected(internal(saved.error()));
  if (!id.empty()) enqueue(id);
  return true;
}

Outcome<Stack> Stacks::find(const std::string& name_or_id) const {
  const auto transaction = database_.begin();
  if (!transaction) return std::unexpected(internal(transaction.error()));
  auto found = load(**transaction, name_or_id);
  if (!found) return std::unexpected(internal(found.error()));
  if (!*found) return std::unexpected(no_such(name_or_id));
  return std::move(**found);
}

Outcome<std::vector<Stack>> Stacks::list(bool with_deleted) const {
  const auto transaction = database_.begin();
  if (!transaction) return std::unexpected(internal(transaction.error()));
  const std::string prefix = stacks_prefix();
  const auto entries = (*transaction)->scan(prefix, state::prefix_end(prefix), kScanMax);
  if (!entries) return std::unexpected(internal(entries.error()));
  std::vector<Stack> out;
  for (const state::Entry& entry : *entries) {
    Result<Stack> stack = read_stack(entry.value);
    if (!stack) return std::unexpected(internal(stack.error()));
    if (with_deleted || stack->status != "DELETE_COMPLETE") out.push_back(std::move(*stack));
  }
  std::ranges::sort(out, std::greater(), &Stack::created);
  return out;
}

Outcome<std::vector<StackEvent>> Stacks::events(const std::string& name_or_id, size_t skip,
                                                size_t limit) const {
  const Outcome<Stack> stack = find(name_or_id);
  if (!stack) return refuse(fmt::format("Stack [{}] does not exist", name_or_id));
  const auto transaction = database_.begin();
  if (!transaction) return std::unexpected(internal(transaction.error()));
  std::vector<StackEvent> out;
  if (skip >= stack->event_count) return out;
  const uint64_t end = stack->event_count - skip;
  const uint64_t first = end > limit ? end - limit : 0;
  const auto entries =
      (*transaction)->scan(event_key(stack->id, first), event_key(stack->id, end), limit);
  if (!entries) return std::unexpected(internal(entries.error()));
  for (auto entry = entries->rbegin(); entry != entries->rend(); ++entry) {
    Result<StackEvent> event = read_event(entry->value);
    if (!event) return std::unexpected(internal(event.error()));
    out.push_back(std::move(*event));
  }
  return out;
}

}  // namespace laketap::stacks
