// Run: one stack operation from where it stands to its end. Inner header of stacks.
#pragma once

#include <stop_token>

#include "stacks/record.h"
#include "stacks/types/type.h"

namespace laketap::stacks {

// Every step is written to state before the next begins, so a crash anywhere leaves a stack that
// run() of a new process carries on with: resources IN_PROGRESS have their physical id written
// down.
class Run {
 public:
  Run(state::Database& database, Services& services, io::Clock& clock, io::Random& random,
      Stack stack, std::stop_token stop)
      : database_(database),
        services_(services),
        clock_(clock),
        random_(random),
        stack_(std::move(stack)),
        stop_(std::move(stop)) {}

  // Until the stack's status ends in COMPLETE or FAILED, or the process stops. Errors: state's.
  Result<> run();

 private:
  Result<> run_create();
  Result<> run_rollback();
  Result<> run_delete();

  Result<bool> create_one(const Resource& resource, StackResource& record, bool resumed);
  Result<bool> remove_one(StackResource& record);
  Result<> finish_create(const Template& made);
  Result<> roll_back_because(const std::vector<std::string>& failed);

  Scope scope(const Template& made);
  Context context(const StackResource& record) const;
  std::string new_physical_id(const Type& type, const Resource& resource,
                              const boost::json::object& properties);
  StackResource* find(const std::string& logical_id);

  // Sets the record's status and writes stack and event in one transaction.
  Result<> step(StackResource& record, std::string status, std::string reason = "",
                std::string properties = "");
  Result<> step_stack(std::string status, std::string reason = "");
  Result<> save(StackEvent event);

  state::Database& database_;
  Services& services_;
  io::Clock& clock_;
  io::Random& random_;
  Stack stack_;
  std::stop_token stop_;
  const Template* scope_template_ =
      nullptr;  // What scope() was last asked for; alive while a run lasts.
  std::map<std::string, boost::json::value> parameters_;
  std::map<std::string, bool> conditions_;
};

// The event of the stack itself.
StackEvent stack_event(const Stack& stack, io::Clock& clock, io::Random& random);

}  // namespace laketap::stacks
