// Calls to a running Laketap, signed with its own keys. Inner header of cli.
#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <string>

#include "base/result.h"
#include "cli/commands.h"
#include "http/client.h"
#include "http/sigv4.h"

namespace laketap::cli {

struct Address {
  http::Endpoint endpoint;
  http::Credential credential;
};
// Errors: not_found - no server was ever started there; invalid - an endpoint that is no http://
// address.
Result<Address> find_server(const Target& target);

// Not thread-safe: one connection.
class ApiClient {
 public:
  explicit ApiClient(const Address& address)
      : client_(address.endpoint), credential_(address.credential) {}

  // A JSON 1.1 call; `target` is "AmazonAthena.StartQueryExecution". Errors: `what` is "CODE:
  // message" for a refusal.
  Result<boost::json::object> call(std::string_view service, std::string_view target,
                                   const boost::json::object& input);
  // A Query call; the answer's XML.
  Result<std::string> query(std::string_view service,
                            const std::map<std::string, std::string>& form);

 private:
  Result<http::ClientResponse> send(std::string_view service, std::vector<http::Header> headers,
                                    const std::string& body);

  http::Client client_;
  http::Credential credential_;
};

// The text of each <name> element, in order; entities resolved.
std::vector<std::string> xml_texts(std::string_view xml, std::string_view name);

int complain(const Error& error);  // Prints "laketap: ..." and gives 1.

}  // namespace laketap::cli
