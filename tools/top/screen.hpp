#pragma once

#include <functional>
#include <string>
#include <vector>

#include "top/model.hpp"
#include "top/picture.hpp"
#include "top/terminal.hpp"

namespace shmim::tools {

/// What is on the screen, and what keys do to it.
class Screen {
 public:
  Screen(Model& model, Terminal& terminal) : model_(model), terminal_(terminal) {}

  void draw();
  /// False once the user wants to leave.
  [[nodiscard]] bool handle(int key);

 private:
  /// Where the keys go.
  enum class Mode { list, filter, low_cut, high_cut, confirm };
  enum class Pane { none, detail, graph, help };

  void draw_title();
  void draw_list(int first, int last);
  void draw_row(int line, const StreamRow& row, bool is_selected, int name_width);
  void draw_lines(const std::vector<std::string>& lines, int first, int last, int right);
  void draw_detail(int first, int last);
  int draw_picture(const Stream& stream, int first, int last);
  void draw_foot();
  [[nodiscard]] std::vector<std::string> detail_lines();
  [[nodiscard]] std::vector<std::string> graph_lines();
  [[nodiscard]] static std::vector<std::string> help_lines();

  void handle_prompt(int key);
  void finish_prompt();
  bool handle_command(int key);
  void move(int by);
  void sort_by_neighbour(int by);
  void toggle(Pane pane);
  void ask_to_remove();
  void remove();
  void keep_selection(const std::vector<StreamRow>& rows);

  Model& model_;
  Terminal& terminal_;
  Mode mode_ = Mode::list;
  Pane pane_ = Pane::none;
  std::string selected_;    ///< name of the stream
  std::size_t index_ = 0;   ///< where it is in the list
  std::size_t top_ = 0;     ///< first row that is shown
  std::size_t scroll_ = 0;  ///< first line of the pane that is shown
  std::size_t page_ = 1;    ///< rows that fit
  std::size_t count_ = 0;   ///< rows there are
  std::string typed_;
  std::string message_;
  Cuts cuts_;
  /// The stream that the question is about.
  struct Doomed {
    std::string name;
    Identity identity;
  };
  Doomed doomed_;
  /// What there is a picture of.
  struct View {
    std::string stream;
    int width = 0;
    int rows = 0;
    Cuts cuts;
    bool operator==(const View&) const = default;
  };
  View view_;
  std::optional<Picture> picture_;
};

}  // namespace shmim::tools
