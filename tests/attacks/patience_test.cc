// Goal: attack case D 38: who is slow, idle or many is cut, and the others do not feel it.
#include <chrono>

#include "attack.h"

namespace laketap::server {
namespace {

using namespace std::chrono_literals;

Options impatient() {
  Options options;
  options.head_wait_max = 1s;
  options.idle_wait_max = 2s;
  options.body_wait_max = 1s;
  options.connections_per_peer_max = 400;
  return options;
}

class AttackD38 : public Attack {
 protected:
  AttackD38() : Attack(impatient()) {}

  // How long until the server closed, when a byte is sent every 100 ms.
  std::chrono::milliseconds dribble(std::string_view at_once, std::string_view slowly) {
    RawClient client(server_.port);
    EXPECT_TRUE(client.send(at_once));
    const auto begin = std::chrono::steady_clock::now();
    for (const char c : slowly) {
      if (!client.send({&c, 1})) break;
      if (client.closed(100ms)) break;
    }
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 begin);
  }
};

TEST_F(AttackD38, D38ASlowHeadIsCut) {
  EXPECT_LT(dribble("POST / HTTP/1.1\r\n", std::string(60, 'x')), 3s);
}

TEST_F(AttackD38, D38ASlowBodyIsCutThoughItNeverStops) {
  const std::string record = put_record().sign().bytes();
  const std::string object = s3_request("PUT", "/b/k", std::string(100, 'x')).sign().bytes();
  for (const std::string& bytes : {record, object})
    EXPECT_LT(dribble(bytes.substr(0, bytes.size() - 60), bytes.substr(bytes.size() - 60)), 3s);
}

TEST_F(AttackD38, D38ASteadyBodyMayTakeLonger) {
  const Request request = s3_request("PUT", "/b/k", std::string(20 << 10, 'x')).sign();
  const std::string bytes = request.bytes();
  const size_t head = bytes.size() - request.body.size();
  RawClient client(server_.port);
  ASSERT_TRUE(client.send(std::string_view(bytes).substr(0, head)));
  for (size_t at = head; at < bytes.size(); at += 2048) {
    std::this_thread::sleep_for(200ms);
    ASSERT_TRUE(client.send(std::string_view(bytes).substr(at, 2048)));
  }
  EXPECT_EQ(client.read().status, 200);
  allowed_ = 1;
}

TEST_F(AttackD38, D38AnIdleConnectionIsClosed) {
  RawClient client(server_.port);
  ASSERT_EQ(client.ask(put_record().sign().bytes()).status, 200);
  EXPECT_TRUE(client.closed(4s));
  allowed_ = 1;
}

TEST_F(AttackD38, D38AnAnswerThatNobodyReadsIsCut) {
  RawClient client(server_.port);
  const std::string list = s3_request("GET", "/").sign().bytes();
  const auto begin = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - begin < 10s)
    if (!client.send(list)) break;  // Blocks when both sides' buffers are full, until it is cut.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 8s);
}

TEST_F(AttackD38, D38IdleConnectionsAndStormsLeaveOthersAlone) {
  const std::string good = s3_request("GET", "/").sign().bytes();
  // The best of many: other programs run on this machine too.
  const auto best = [&] {
    RawClient client(server_.port);
    int64_t least = std::numeric_limits<int64_t>::max();
    for (int i = 0; i < 2000; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      EXPECT_EQ(client.ask(good).status, 200);
      least = std::min<int64_t>(least, (std::chrono::steady_clock::now() - begin).count());
    }
    return least;
  };
  const int64_t alone = best();
  std::vector<std::unique_ptr<RawClient>> idle;
  for (int i = 0; i < 350; ++i) idle.push_back(std::make_unique<RawClient>(server_.port));
  EXPECT_LT(best(), 2 * alone);

  // One address may not take more than its share.
  std::vector<std::unique_ptr<RawClient>> more;
  for (int i = 0; i < 100; ++i) more.push_back(std::make_unique<RawClient>(server_.port));
  for (int i = 0; i < 100 && server_.server->counters().refused_connections < 40; ++i)
    std::this_thread::sleep_for(10ms);
  EXPECT_GE(server_.server->counters().refused_connections, 40u);
  more.clear();
  idle.clear();
  for (int i = 0; i < 2000; ++i) RawClient storm(server_.port);
  for (int i = 0; i < 300 && server_.server->counters().open_connections > 0; ++i)
    std::this_thread::sleep_for(10ms);
  EXPECT_EQ(server_.server->counters().open_connections, 0u) << "none is kept";
}

}  // namespace
}  // namespace laketap::server
