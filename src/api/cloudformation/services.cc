// Stacks call the services by the operations of the wire, with input and answer as JSON.
#include <boost/json.hpp>

#include "api/cloudformation/cloudformation.h"

namespace laketap::api::cloudformation {

stacks::Outcome<boost::json::object> OperationServices::call(const identity::Caller& caller,
                                                             std::string_view service,
                                                             std::string_view operation,
                                                             const boost::json::object& input) {
  wire::Call call;
  call.request_id = "stack";
  call.region = caller.region;
  call.account = caller.account;
  call.caller_arn = caller.arn;
  call.access_key_id = caller.access_key_id;
  const wire::Answer<std::string> answer =
      operations_.call_json(service, operation, std::move(call), boost::json::serialize(input));
  if (!answer) return stacks::refuse(answer.error().message, answer.error().code);
  boost::system::error_code error;
  boost::json::value value = boost::json::parse(*answer, error);
  if (error || !value.is_object()) return boost::json::object{};
  return std::move(value.get_object());
}

}  // namespace laketap::api::cloudformation
