// client/cli/event_text.h
//
// Events of a job as lines for people.
//
//   12:03:04 step 120/400, epoch 3: loss 0.5321, lr 0.1, loss scale 65536, low 49.87%
//   12:03:04 promoted layer1.0.conv1 (activation, overflow 1.90%) at step 120
//
// Names inside come from the server and are not yet made printable, except in EventLine.

#ifndef MANTISSA_CLIENT_CLI_EVENT_TEXT_H_
#define MANTISSA_CLIENT_CLI_EVENT_TEXT_H_

#include <string>
#include <vector>

#include "mantissa/v1/job.pb.h"

namespace mantissa::cli {

std::string StateText(const v1::StateChanged& change);
std::string LossScaleText(double before, const v1::StepDone& step);
std::string PromotionText(const v1::PromotedTensor& tensor, int64_t step);
std::string StepText(const v1::StepDone& step);
std::string EvaluationText(const v1::Evaluation& evaluation);
std::string PlanText(const v1::Plan& plan);

// What an event says, a line for each thing, without its time; empty for an unknown kind.
std::vector<std::string> EventTexts(const v1::JobEvent& event);

// A whole line, time of the event before it, made printable, with a line feed.
std::string EventLine(const v1::JobEvent& event, const std::string& text);

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_EVENT_TEXT_H_
