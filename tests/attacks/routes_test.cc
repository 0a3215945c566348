// Goal: attack case A 15: every operation that the table knows refuses an unsigned request, whether
// served or not. Made from the table, so that a new one cannot be forgotten.
#include "attack.h"
#include "wire/ask.h"
#include "wire/shape.h"

namespace laketap::server {
namespace {

class AttackRoutes : public Attack {
 protected:
  // Of every operation, a request that would reach it.
  std::vector<Request> requests() {
    std::vector<Request> made;
    for (const wire::Route& route : server_.operations.routes()) {
      if (route.operation->method.empty()) continue;
      wire::Asked asked = wire::request_for(*route.service, *route.operation);
      Request request;
      request.head = std::move(asked.head);
      request.head.headers.push_back({"Host", "127.0.0.1"});
      request.body = std::move(asked.body);
      request.service = route.service->signing_name;
      made.push_back(std::move(request));
    }
    return made;
  }
  static bool is_refusal(const Answer& answer, bool to_head) {
    if (to_head) return answer.status == 403;
    for (const char* code : {"MissingAuthenticationToken", "AccessDenied", "IncompleteSignature"})
      if (answer.says(code)) return answer.status == 400 || answer.status == 403;
    return false;
  }
};

TEST_F(AttackRoutes, A15EveryRouteRefusesAnUnsignedRequest) {
  const std::vector<Request> all = requests();
  ASSERT_GT(all.size(), 300u);
  for (const Request& request : all) {
    RawClient client(server_.port);
    (void)client.send(request.bytes());
    const bool to_head = request.head.method == "HEAD";
    const Answer answer = client.read(std::chrono::seconds(10), to_head);
    EXPECT_TRUE(is_refusal(answer, to_head))
        << request.head.method << " " << request.head.target << " "
        << request.head.value("x-amz-target") << request.body << ": " << answer.status
        << answer.body;
  }
}

// The same requests do reach the table when they are signed: the test above proves something.
TEST_F(AttackRoutes, A15TheSameRequestsSignedReachTheTable) {
  for (Request& request : requests()) {
    RawClient client(server_.port);
    (void)client.send(request.sign().bytes());
    const bool to_head = request.head.method == "HEAD";
    const Answer answer = client.read(std::chrono::seconds(10), to_head);
    EXPECT_FALSE(is_refusal(answer, to_head))
        << request.head.method << " " << request.head.target << answer.status << answer.body;
  }
  allowed_ = server_.stored().size();
}

TEST_F(AttackRoutes, A15MethodsAndPathsThatNobodyServesAreRefusedToo) {
  for (const char* method : {"GET", "PUT", "POST", "DELETE", "PATCH", "TRACE", "PROPFIND"})
    for (const char* path :
         {"/", "/b", "/b/k", "/_laketap/metrics", "/_console", "/_", "//", "/%5Fconsole/"}) {
      const Answer answer = ask(fmt::format("{} {} HTTP/1.1\r\nHost: h\r\n\r\n", method, path));
      EXPECT_TRUE(is_refusal(answer, false)) << method << " " << path << " " << answer.status;
    }
}

}  // namespace
}  // namespace laketap::server
