// The doors of CloudFormation (model 2010-05-15), and what lets stacks call the other services.
#pragma once

#include "stacks/stacks.h"
#include "store/store.h"
#include "wire/wire.h"

namespace laketap::api::cloudformation {

// Borrows both; they must outlive the last call of `operations`. TemplateURL is read from our own
// store only.
void register_cloudformation(wire::Operations& operations, stacks::Stacks& stacks,
                             const store::Store& store);

// Stacks' way to the services: the same operations that clients call. Borrows `operations`.
class OperationServices : public stacks::Services {
 public:
  explicit OperationServices(const wire::Operations& operations) : operations_(operations) {}
  stacks::Outcome<boost::json::object> call(const identity::Caller& caller,
                                            std::string_view service, std::string_view operation,
                                            const boost::json::object& input) override;

 private:
  const wire::Operations& operations_;
};

}  // namespace laketap::api::cloudformation
