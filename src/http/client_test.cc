// Goal: the client reads whole answers, keeps its connection, and connects anew when it was closed.
// Method: a server that reads a request's head and answers with the next of its texts.
#include "http/client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace laketap::http {
namespace {

struct Scripted {
  std::string answer;
  bool close_behind = false;
};

class ScriptedServer {
 public:
  explicit ScriptedServer(std::vector<Scripted> script) : script_(std::move(script)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 8), 0);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port = std::to_string(ntohs(address.sin_port));
    thread_ = std::jthread([this] { run(); });
  }
  ~ScriptedServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }

  std::string port;
  std::atomic<int> connections = 0;

 private:
  void run() {
    int peer = -1;
    for (const Scripted& one : script_) {
      if (peer < 0) peer = accept(listener_, nullptr, nullptr);
      if (peer < 0) return;
      if (fresh_) ++connections;
      fresh_ = false;
      std::string request;
      char block[4096];
      while (!request.contains("\r\n\r\n")) {
        const ssize_t got = recv(peer, block, sizeof block, 0);
        if (got <= 0) break;
        request.append(block, static_cast<size_t>(got));
      }
      (void)!send(peer, one.answer.data(), one.answer.size(), MSG_NOSIGNAL);
      if (!one.close_behind) continue;
      close(peer);
      peer = -1;
      fresh_ = true;
    }
    if (peer >= 0) close(peer);
  }

  std::vector<Scripted> script_;
  int listener_ = -1;
  bool fresh_ = true;
  std::jthread thread_;
};

std::string request(std::string method = "GET") {
  RequestHead head{.method = std::move(method), .target = "/", .headers = {{"Host", "h"}}};
  return Client::render(head, "");
}
std::string ok(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nX-A: 1\r\n\r\n" + std::string(body);
}

TEST(ClientTest, OneConnectionServesManyRequests) {
  ScriptedServer server({{ok("one")}, {ok("")}, {ok(std::string(300'000, 'x'))}});
  Client client({"127.0.0.1", server.port});
  EXPECT_EQ(client.send(request())->body, "one");
  EXPECT_EQ(client.send(request())->body, "");
  EXPECT_EQ(client.send(request())->body.size(), 300'000u);
  EXPECT_EQ(server.connections, 1);
}

TEST(ClientTest, AClosedIdleConnectionIsMadeAnew) {
  ScriptedServer server({{ok("one"), true}, {ok("two")}});
  Client client({"127.0.0.1", server.port});
  EXPECT_EQ(client.send(request())->body, "one");
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const auto second = client.send(request());
  ASSERT_TRUE(second) << second.error().what;
  EXPECT_EQ(second->body, "two");
  EXPECT_EQ(server.connections, 2);
}

TEST(ClientTest, AContinueIsNoAnswerAndAHeadHasNoBody) {
  ScriptedServer server({{"HTTP/1.1 100 Continue\r\n\r\n" + ok("one")},
                         {"HTTP/1.1 404 Not Found\r\nContent-Length: 99\r\n\r\n"},
                         {ok("three")}});
  Client client({"127.0.0.1", server.port});
  EXPECT_EQ(client.send(request())->body, "one");
  EXPECT_EQ(client.send(request("HEAD"))->status, 404);
  EXPECT_EQ(client.send(request())->body, "three");
}

TEST(ClientTest, WhatIsNoAnswerIsAnError) {
  ScriptedServer garbage({{"SSH-2.0-x\r\n\r\n", true}});
  EXPECT_EQ(Client({"127.0.0.1", garbage.port}).send(request()).error().kind, ErrorKind::invalid);
  ScriptedServer cut({{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", true}});
  EXPECT_EQ(Client({"127.0.0.1", cut.port}).send(request()).error().kind, ErrorKind::unavailable);
  ScriptedServer endless({{"HTTP/1.1 200 OK\r\nA: " + std::string(100'000, 'x'), true}});
  EXPECT_EQ(Client({"127.0.0.1", endless.port}).send(request()).error().kind, ErrorKind::invalid);
  EXPECT_EQ(Client({"127.0.0.1", "1"}).send(request()).error().kind, ErrorKind::unavailable);
}

}  // namespace
}  // namespace laketap::http
