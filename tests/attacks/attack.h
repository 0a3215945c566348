// What every attack must leave behind: nothing stored, and a server that serves the next request.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "server/testing.h"

namespace laketap::server {

using testing::json_request;
using testing::kKey;
using testing::kSecret;
using testing::put_record;
using testing::RawClient;
using testing::Request;
using testing::s3_request;
using testing::TestServer;
using Answer = RawClient::Answer;

class Attack : public ::testing::Test {
 protected:
  explicit Attack(Options options = {}) : server_(std::move(options)) {}

  void TearDown() override {
    EXPECT_EQ(server_.stored().size(), allowed_) << "a handler ran";
    EXPECT_TRUE(server_.works()) << "the next correct request";
  }

  // One request on a connection of its own.
  Answer ask(std::string_view bytes) {
    RawClient client(server_.port);
    return client.ask(bytes);
  }
  Answer ask(const Request& request) { return ask(request.bytes()); }

  // Refused as a signature is: 400 with this code by JSON services, 403 by others.
  static ::testing::AssertionResult refused(const Answer& answer, std::string_view code) {
    if ((answer.status == 400 || answer.status == 403) && answer.says(code))
      return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << answer.status << " " << answer.body;
  }
  // Refused as no HTTP request, and the connection closed behind it.
  ::testing::AssertionResult refused_and_closed(std::string_view bytes, std::vector<int> statuses) {
    RawClient client(server_.port);
    (void)client.send(bytes);
    const Answer answer = client.read();
    if (std::ranges::find(statuses, answer.status) == statuses.end())
      return ::testing::AssertionFailure() << "status " << answer.status << " " << answer.body;
    if (!answer.says("Connection: close")) return ::testing::AssertionFailure() << "stays open";
    if (!client.closed()) return ::testing::AssertionFailure() << "not closed: " << client.unread();
    return ::testing::AssertionSuccess();
  }

  TestServer server_;
  size_t allowed_ = 0;  // How many requests of the test were meant to be handled.
};

}  // namespace laketap::server
