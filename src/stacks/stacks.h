// Stacks: templates -> resources, with events, rollback, and a name written down before each
// create. Source: CloudFormation User Guide and API reference 2010-05-15.
#pragma once

#include <boost/json/object.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "base/time.h"
#include "identity/identity.h"
#include "io/clock.h"
#include "io/random.h"
#include "stacks/evaluate.h"
#include "stacks/template.h"
#include "state/state.h"

namespace laketap::stacks {

// The services' operations, by the model's names and members ("glue", "CreateDatabase",
// {"DatabaseInput": {..}}). Implemented by api over the operations that clients call, so a template
// goes through the same doors. Thread-safe. Refusal.code is the service's error code.
class Services {
 public:
  virtual ~Services() = default;
  virtual Outcome<boost::json::object> call(const identity::Caller& caller,
                                            std::string_view service, std::string_view operation,
                                            const boost::json::object& input) = 0;
};

struct StackResource {
  std::string logical_id, type, physical_id, status, reason;
  Timestamp updated;
  boost::json::object properties;  // Evaluated and checked; what it was made with.
};

struct StackOutput {
  std::string key, value, description, export_name;
};

struct Stack {
  std::string id, name, description, status, status_reason, body;
  std::map<std::string, std::string> parameters;  // As text; NoEcho values too.
  std::vector<std::string> no_echo, capabilities;
  std::map<std::string, std::string> tags;
  std::vector<StackResource> resources;  // In the order in which they are made.
  std::vector<StackOutput> outputs;
  std::string on_failure = "ROLLBACK";  // ROLLBACK, DELETE, DO_NOTHING
  std::string client_token;
  bool termination_protection = false;
  std::optional<int64_t> timeout_minutes;
  Timestamp created;
  std::optional<Timestamp> updated, deleted;
  identity::Caller owner;
  uint64_t event_count = 0;
};

struct StackEvent {
  std::string id, stack_id, stack_name, logical_id, physical_id, type, status, reason, properties;
  Timestamp at;
};

struct CreateRequest {
  std::string name, body, on_failure = "ROLLBACK", client_token;
  std::vector<GivenParameter> parameters;
  std::vector<std::string> capabilities;
  std::map<std::string, std::string> tags;
  bool termination_protection = false;
  std::optional<int64_t> timeout_minutes;
};

// Thread-safe. Work runs on threads of its own; each step is durable before the next begins, so
// after a crash resume() carries on or rolls back.
class Stacks {
 public:
  Stacks(state::Database& database, Services& services, io::Clock& clock, io::Random& random);
  ~Stacks();  // As stop().

  // Picks up what a crash interrupted. Call once the services answer.
  Result<> resume();
  void stop();

  // The new stack's id, before anything is made.
  Outcome<std::string> create(const identity::Caller& caller, const CreateRequest& request);
  // Silently nothing for a name that is not there, as CloudFormation does.
  Outcome<bool> remove(const identity::Caller& caller, const std::string& name_or_id,
                       const std::vector<std::string>& retain);

  // By name: the live one. By id (ARN): also a deleted one. Refusal: `Stack with id X does not
  // exist`.
  Outcome<Stack> find(const std::string& name_or_id) const;
  Outcome<std::vector<Stack>> list(bool with_deleted) const;  // Newest first.
  // Newest first, from `skip` on.
  Outcome<std::vector<StackEvent>> events(const std::string& name_or_id, size_t skip,
                                          size_t limit) const;

 private:
  void work();
  void enqueue(const std::string& id);

  state::Database& database_;
  Services& services_;
  io::Clock& clock_;
  io::Random& random_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::string> queue_;
  bool stopping_ = false;
  std::vector<std::jthread> workers_;
};

// Checks a template as ValidateTemplate does: shape, references, cycles, types that are served.
Outcome<Template> validate_template(std::string_view body);

}  // namespace laketap::stacks
